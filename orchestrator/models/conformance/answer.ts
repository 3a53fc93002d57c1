// What a model answered to a test's question: its words, its calls, why it stopped, what was counted. Used by probe.ts.
import { AutocodeError, ERRORS } from '../../../protocol/errors.ts';
import type { ErrorCode } from '../../../protocol/errors.ts';
import type { Dialogue } from '../../../protocol/model.ts';
import type { Engine, EngineAnswer } from '../engine/engine.ts';
import { object, objects, parse, string } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';
import { sseReader } from '../wire/sse.ts';
import { WIRES } from '../wire/table.ts';
import { nothingCollected } from '../wire/wire.ts';
import type { Tokens } from '../wire/wire.ts';
import { requestBody } from './question.ts';
import type { Question } from './question.ts';

export interface Answer {
  /** The engine's words where it refused the request or broke its answer off. */
  refused: string | undefined;
  text: string;
  reasoning: string;
  toolCalls: { name: string; arguments: string }[];
  /** `stop`, `length`, `tools`, or the engine's own word; '' where it gave none. */
  finish: string;
  tokens: Partial<Tokens>;
}

/** Asks through the gateway. What the gateway itself refuses says nothing of the model and is thrown. */
export async function askModel(
  gateway: Engine,
  protocol: Dialogue,
  model: string,
  question: Question,
  signal: AbortSignal,
): Promise<Answer> {
  const json = requestBody(protocol, model, question);
  const body = [Buffer.from(JSON.stringify(json))];
  const { path } = WIRES[protocol];
  const answer = await gateway.answer({ protocol, path, body, json, headers: {}, signal });
  return answer.status === 200 ? await read(protocol, answer) : await refusal(answer);
}

async function read(protocol: Dialogue, { body }: EngineAnswer): Promise<Answer> {
  const collected = nothingCollected();
  let finish = '';
  let reasoning = '';
  const reader = sseReader(({ data }) => {
    const payload = object(parse(data));
    WIRES[protocol].collect(collected, payload);
    finish = FINISH[protocol](payload) || finish;
    reasoning += reasoningIn(payload);
  });
  for await (const chunk of body) reader.push(chunk);
  reader.end();
  if (collected.error !== undefined) throwIfOurs(collected.error);
  return {
    refused: collected.error,
    text: collected.text,
    reasoning,
    toolCalls: [...collected.toolCalls.values()],
    finish: COMMON[finish] ?? finish,
    tokens: collected.tokens,
  };
}

async function refusal({ status, body }: EngineAnswer): Promise<Answer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const { error, message } = object(parse(text));
  const words = string(object(error).message) || string(message) || text.slice(0, 500);
  throwIfOurs(words);
  if (AWAY.has(status))
    throw new AutocodeError('ERR_ENGINE_UNAVAILABLE', `The engine answers ${status}: ${words}`);
  return {
    refused: `${status}: ${words}`,
    text: '',
    reasoning: '',
    toolCalls: [],
    finish: '',
    tokens: {},
  };
}

/** An engine that answers so has not begun to work on the request. */
const AWAY = new Set([429, 502, 503, 504]);

/** The gateway's errors have their code in their words; all others are the engine's. */
function throwIfOurs(words: string): void {
  const [, code] = /\[(ERR_[A-Z_]+)\]/.exec(words) ?? [];
  if (code !== undefined && Object.hasOwn(ERRORS, code))
    throw new AutocodeError(code as ErrorCode, words.replace(`[${code}]`, '').trim());
}

const FINISH: Record<Dialogue, (payload: JsonObject) => string> = {
  chat: ({ choices }) => string(objects(choices)[0]?.finish_reason),
  messages: ({ delta }) => string(object(delta).stop_reason),
  responses: ({ type, response }) => {
    if (type === 'response.incomplete') return string(object(object(response).incomplete_details).reason);
    return type === 'response.completed' ? 'stop' : '';
  },
};

const COMMON: Record<string, string> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  max_output_tokens: 'length',
  tool_calls: 'tools',
  tool_use: 'tools',
};

function reasoningIn({ choices, delta, type }: JsonObject): string {
  if (type === 'response.reasoning_text.delta' || type === 'response.reasoning_summary_text.delta')
    return string(delta);
  const part = object(objects(choices)[0]?.delta);
  return string(part.reasoning_content) || string(part.reasoning) || string(object(delta).thinking);
}
