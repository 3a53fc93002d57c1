// Whether the context that a model is configured with is real: a word is hidden at the beginning of a prompt that fills at
// least nine tenths of it. Used by probe.ts.
import { haystack } from './haystack.ts';
import type { Ask, Verdict } from './probe.ts';

/** Shares of the context: of the prompt, as it should and as it must come out, and of the answer. */
const PROMPT = 0.93;
const LEAST = 0.9;
const ANSWER = 0.03;
const ANSWER_TOKENS = 1024;
/** How often the size of the prompt is put right, since an engine alone can count its tokens. */
const TRIES = 4;

/** Looks for the word. `perToken`: how many characters of such a text make a token. */
export async function checkContext(ask: Ask, context: number, perToken: number): Promise<Verdict> {
  const maxTokens = Math.min(ANSWER_TOKENS, Math.max(16, Math.floor(context * ANSWER)));
  let characters = context * PROMPT * perToken;
  let why = '';
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const { text, word } = haystack(characters, attempt);
    const answer = await ask({ text, maxTokens });
    const expected = text.length / perToken;
    const counted = answer.tokens.input ?? Math.round(expected);
    if (answer.refused !== undefined) {
      why = `a prompt of some ${Math.round(expected)} tokens is refused: ${answer.refused}`;
      characters *= 0.98;
    } else if (counted < expected * 0.7) {
      return failed(`the engine cuts prompts: it read ${counted} of some ${Math.round(expected)} tokens`);
    } else if (counted < context * LEAST) {
      why = `no prompt came near ${context} tokens; the longest had ${counted}`;
      characters *= (context * PROMPT) / counted;
    } else if (`${answer.reasoning}${answer.text}`.includes(word)) {
      return { passed: true, detail: `found a word in ${counted} of ${context} tokens` };
    } else {
      return failed(
        `a word at the beginning of ${counted} tokens is not found; a smaller \`context\` may help`,
      );
    }
  }
  return failed(why);
}

const failed = (detail: string): Verdict => ({ passed: false, detail });
