// A model that answers the questions of the tests well, but for one flaw: over real HTTP, in any of the three protocols.
// A token is four characters.
import type { ServerResponse } from 'node:http';
import type { Dialogue } from '../../../../protocol/model.ts';
import { sendBody, sendStream, type Seen } from '../../testing/fake-engine.ts';
import { object, parse } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import { encodeEvent } from '../../wire/sse.ts';
import { WIRES } from '../../wire/table.ts';
import type { Reply } from '../../wire/wire.ts';

export type Flaw =
  | 'talks instead of calling'
  | 'writes calls as text'
  | 'refuses tools'
  | 'cuts arguments off'
  | 'gives a number as text'
  | 'never stops'
  | 'overhears stop sequences'
  | 'tells no usage'
  | 'repeats itself'
  | 'says nothing'
  | 'forgets'
  | 'drops the beginning in silence'
  | 'has half the context';

export const CONTEXT = 32_768;
const CALL = { path: 'src/clock.ts', line: 12, text: 'say("tick");' };
const PROSE = Array.from({ length: 120 }, (_, at) => `Sentence ${at * at} turns on wheel ${at}.`).join(' ');

/** Answers one request. The flaws are told in Chat Completions. */
export function scriptedModel(flaw?: Flaw): (response: ServerResponse, seen: Seen) => void {
  return (response, { path, body }) => {
    const protocol = Object.values(WIRES).find((wire) => path === `/v1${wire.path}`)!.protocol;
    const json = object(parse(body));
    const { opening } = WIRES[protocol].read(json);
    const tokens = Math.ceil(opening.length / 4);
    if (flaw === 'refuses tools' && json.tools !== undefined)
      return sendBody(response, 400, { error: { message: '"auto" tool choice requires a parser' } });
    if (flaw === 'has half the context' && tokens > CONTEXT / 2)
      return sendBody(response, 400, { error: { message: 'maximum context length is 16384 tokens' } });
    const input = flaw === 'drops the beginning in silence' ? Math.min(tokens, 4096) : tokens;
    const reply = replyTo(opening, json, input, flaw);
    const stopped = flaw === 'never stops' && reply.toolCalls.length === 0 ? 'length' : undefined;
    sendStream(response, eventsOf(protocol, reply, stopped, flaw === 'tells no usage'));
  };
}

function replyTo(opening: string, json: JsonObject, input: number, flaw: Flaw | undefined): Reply {
  const text = json.tools === undefined ? sayTo(opening, json, input, flaw) : insteadOfCall(flaw);
  const called = json.tools !== undefined && text === '';
  const call = { name: 'replace_line', arguments: argumentsWith(flaw), freeform: false };
  return {
    id: 'x',
    model: 'm',
    text,
    toolCalls: called ? [call] : [],
    tokens: { input, cached: 0, output: Math.ceil(text.length / 4) + 1 },
  };
}

function insteadOfCall(flaw: Flaw | undefined): string {
  if (flaw === 'talks instead of calling') return 'I would change line 12.';
  return flaw === 'writes calls as text' ? `<tool_call>{"name": "replace_line"}</tool_call>` : '';
}

function argumentsWith(flaw: Flaw | undefined): string {
  if (flaw === 'cuts arguments off') return JSON.stringify(CALL).slice(0, -5);
  return JSON.stringify(flaw === 'gives a number as text' ? { ...CALL, line: '12' } : CALL);
}

function sayTo(opening: string, json: JsonObject, input: number, flaw: Flaw | undefined): string {
  if (opening.startsWith('Reply with')) return 'ready';
  if (opening.startsWith('Count')) {
    const stops = json.stop ?? json.stop_sequences;
    return stops !== undefined && flaw !== 'overhears stop sequences' ? '1 2 3 4 5 6 7 8 ' : '1 2 … 9 10 11';
  }
  if (opening.startsWith('Explain')) {
    if (flaw === 'says nothing') return '';
    return flaw === 'repeats itself' ? `${PROSE}${' and so on and so forth'.repeat(40)}` : PROSE;
  }
  const word = /The word for the north gate is (\S+)\./.exec(opening.slice(-input * 4))?.[1];
  return flaw === 'forgets' ? 'I do not know.' : (word ?? 'I see no gate.');
}

function eventsOf(protocol: Dialogue, reply: Reply, finish: string | undefined, noUsage: boolean): string {
  const events = WIRES[protocol].events(reply);
  const kept = noUsage ? events.filter(({ data }) => !data.includes('"usage"')) : events;
  const text = kept.map(encodeEvent).join('');
  return finish === undefined ? text : text.replace('"finish_reason":"stop"', `"finish_reason":"${finish}"`);
}
