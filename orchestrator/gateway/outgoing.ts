// What of a client's request goes to the engine: the bytes as they came, with only the model's name, the bound of the
// output, the wish for usage and a warning changed; or the request in the engine's protocol. Used by exchange.ts.
import type { Protocol } from '../../protocol/model.ts';
import type { EngineRequest } from '../models/engine/engine.ts';
import { count, object, string } from '../models/wire/json.ts';
import type { JsonObject } from '../models/wire/json.ts';
import type { Admission } from './paying.ts';
import { editBody } from './edit-body.ts';
import type { Rung } from './ladder.ts';

const BOUNDS: Partial<Record<Protocol, readonly string[]>> = {
  chat: ['max_completion_tokens', 'max_tokens'],
  completions: ['max_tokens'],
  messages: ['max_tokens'],
  responses: ['max_output_tokens'],
};

/** The body for the rung's engine, and the same parsed. `served`: the name that a replica knows its model by. */
export function outgoing(
  { model, protocol, translation }: Rung,
  asked: { body: Buffer; json: JsonObject; countsTokens: boolean },
  { maxTokens, warning }: Pick<Admission, 'maxTokens' | 'warning'>,
  served?: string,
): Pick<EngineRequest, 'body' | 'json'> {
  if (model.serves.kind === 'replay') return asked;
  const json = translation === undefined ? asked.json : translation.request(asked.json);
  const changes: JsonObject = { model: served ?? model.serves.model };
  const streams = (protocol === 'chat' || protocol === 'completions') && json.stream === true;
  if (streams) changes.stream_options = { ...object(json.stream_options), include_usage: true };
  if (maxTokens !== undefined && !asked.countsTokens)
    Object.assign(changes, bounded(protocol, json, maxTokens));
  const appended = warning === undefined ? undefined : spoken(protocol, json, warning);
  if (translation === undefined)
    return { body: editBody(asked.body, { ...changes, ...appended?.replaced }, appended?.added), json };
  const sent: JsonObject = { ...json, ...changes, ...appended?.replaced };
  for (const [name, item] of Object.entries(appended?.added ?? {}))
    sent[name] = [...(sent[name] as unknown[]), item];
  return { body: Buffer.from(JSON.stringify(sent)), json: sent };
}

function bounded(protocol: Protocol, json: JsonObject, most: number): JsonObject {
  const names = BOUNDS[protocol] ?? [];
  const name = names.find((member) => json[member] !== undefined) ?? names.at(-1);
  return name === undefined ? {} : { [name]: Math.min(count(json[name]) ?? most, most) };
}

/** A warning in the user's name behind all else, so that everything before it stays in the engine's cache. */
function spoken(
  protocol: Protocol,
  json: JsonObject,
  warning: string,
): { replaced?: JsonObject; added?: JsonObject } {
  const message = { role: 'user', content: warning };
  if (protocol === 'chat' || protocol === 'messages')
    return Array.isArray(json.messages) ? { added: { messages: message } } : {};
  if (protocol !== 'responses') return {};
  if (Array.isArray(json.input)) return { added: { input: message } };
  return { replaced: { input: `${string(json.input)}\n\n${warning}` } };
}
