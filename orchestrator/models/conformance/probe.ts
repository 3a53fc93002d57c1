// The checks of a model: whether it does what an agent needs, asked as the agent would ask. Used by model-tests.ts.
import { z } from 'zod';
import type { ModelTest } from '../../../protocol/local-model.ts';
import { parse } from '../wire/json.ts';
import type { Answer } from './answer.ts';
import { checkContext } from './context-check.ts';
import { haystack } from './haystack.ts';
import { loopAtEnd } from './loop.ts';
import type { Question, Tool } from './question.ts';

export type Check = ModelTest['checks'][number];
export type Verdict = Omit<Check, 'name'>;
export type Ask = (question: Question) => Promise<Answer>;

export interface Probed {
  ask: Ask;
  /** Tokens of prompt and answer together. */
  context: number;
  /** Whether its protocol lets a request say where the answer ends. */
  stopSequences: boolean;
  /** Told of each check when it is over. */
  told(checks: Check[]): Promise<void>;
}

/** A word from the model, which is loaded for it if it must be; answers how many characters make a token. */
export async function warmUp(ask: Ask, context: number): Promise<number> {
  const { text } = haystack(Math.min(WARM_UP_CHARACTERS, context / 2), 0);
  const { tokens } = await ask({ text, maxTokens: 16 });
  return tokens.input === undefined ? USUAL : text.length / tokens.input;
}

const WARM_UP_CHARACTERS = 4000;
/** Characters of a token, where nobody counts them. */
const USUAL = 3;

/** Makes the checks, one after the other. */
export async function probe({ ask, context, stopSequences, told }: Probed, perToken: number): Promise<void> {
  const room = (wanted: number) => Math.min(wanted, Math.floor(context / 3));
  const tell = async (name: Check['name'], verdict: Verdict) => await told([{ name, ...verdict }]);

  const called = await ask({ text: TOOL_TASK, tool: TOOL, maxTokens: room(2048) });
  await told([
    { name: 'tool-call', ...checkCall(called) },
    { name: 'arguments', ...checkArguments(called) },
  ]);
  const short = await ask({ text: SHORT_TASK, maxTokens: room(2048) });
  await tell('usage', checkUsage(short));
  const cut = stopSequences ? await ask({ text: COUNT_TASK, stop: STOP, maxTokens: room(1024) }) : undefined;
  await tell('stops', checkStops(short, cut));
  await tell('no-loop', checkLoop(await ask({ text: LONG_TASK, maxTokens: room(1000) })));
  await tell('context', await checkContext(ask, context, perToken));
}

const TOOL: Tool = {
  name: 'replace_line',
  description: 'Replaces one line of a file.',
  parameters: {
    type: 'object',
    properties: {
      path: { type: 'string', description: 'The file, relative to the repository.' },
      line: { type: 'integer', description: 'The number of the line, from 1.' },
      text: { type: 'string', description: 'What the line becomes.' },
    },
    required: ['path', 'line', 'text'],
    additionalProperties: false,
  },
};
const Arguments = z.strictObject({
  path: z.literal('src/clock.ts'),
  line: z.literal(12),
  text: z.string().includes('"tick"', { error: 'must be the line that was asked for' }),
});
const TOOL_TASK =
  'Use the tool replace_line to make line 12 of the file src/clock.ts read exactly:\nsay("tick");\nCall the tool and say nothing else.';
const SHORT_TASK = 'Reply with the single word: ready';
const COUNT_TASK = 'Count from 1 to 20 in digits, separated by spaces.';
const STOP = '9';
const LONG_TASK = 'Explain in about 700 words, in plain prose without lists, how a bicycle stays upright.';

function checkCall({ refused, toolCalls, text }: Answer): Verdict {
  if (refused !== undefined) return failed(`a request with a tool is refused: ${refused}`);
  const [call] = toolCalls;
  if (call?.name === TOOL.name) return passed(`calls ${TOOL.name}`);
  if (call !== undefined) return failed(`calls a tool "${call.name}" that was not offered`);
  if (text.includes(TOOL.name))
    return failed(
      `writes the call as text (${quoted(text)}): the engine's parser (\`toolCallParser\`) is not the model's`,
    );
  return failed(`calls no tool, but says ${quoted(text)}`);
}

function checkArguments({ toolCalls: [call] }: Answer): Verdict {
  if (call === undefined) return failed('there was no call');
  const json = parse(call.arguments);
  if (json === undefined) return failed(`they are no JSON: ${quoted(call.arguments)}`);
  const read = Arguments.safeParse(json);
  if (read.success) return passed('JSON by the schema of the tool');
  return failed(`${z.prettifyError(read.error).replaceAll('\n', ' ')}: ${quoted(call.arguments)}`);
}

function checkUsage({ refused, tokens: { input = 0, output = 0 } }: Answer): Verdict {
  if (refused !== undefined) return failed(`the request is refused: ${refused}`);
  if (input > 0 && output > 0) return passed(`${input} tokens in, ${output} out`);
  return failed('a streamed answer does not tell its tokens');
}

function checkStops(short: Answer, cut: Answer | undefined): Verdict {
  if (short.finish !== 'stop')
    return failed(`a one-word answer ends with "${short.refused ?? short.finish}" instead of stop`);
  if (cut === undefined) return passed('stops by itself');
  if (cut.finish !== 'stop') return failed(`the stop sequence ends nothing: "${cut.refused ?? cut.finish}"`);
  if (cut.text.includes(STOP)) return failed(`the stop sequence "${STOP}" is in the answer`);
  return passed('stops by itself and at a stop sequence');
}

function checkLoop({ refused, text, reasoning, tokens }: Answer): Verdict {
  if (refused !== undefined) return failed(`the request is refused: ${refused}`);
  const said = `${reasoning}${text}`;
  if (said === '') return failed('it says nothing');
  const loop = loopAtEnd(said);
  if (loop !== undefined) return failed(`repeats ${quoted(loop.phrase)} ${loop.times} times`);
  return passed(`${tokens.output ?? `some ${Math.round(said.length / 4)}`} tokens without a loop`);
}

const passed = (detail: string): Verdict => ({ passed: true, detail });
const failed = (detail: string): Verdict => ({ passed: false, detail });

/** Some of the words of a model, in one line; what cannot be seen is escaped. */
function quoted(text: string): string {
  if (text === '') return 'nothing';
  const line = text.replaceAll(/\s+/g, ' ').trim() || text;
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}…` : line).replaceAll('\\"', '"');
}
