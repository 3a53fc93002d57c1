// Whether a text ends in an endless repetition, as models do that lose their way. Used by probe.ts.

/** So often and so many characters, before it counts as one. */
const TIMES = 3;
const LEAST = 120;

/** The shortest phrase that the end of the text repeats, and how often. */
export function loopAtEnd(text: string): { phrase: string; times: number } | undefined {
  for (let period = 1; period * TIMES <= text.length; period++) {
    let at = text.length - 1;
    while (at >= period && text[at] === text[at - period]) at--;
    const repeated = text.length - 1 - at + period;
    if (repeated >= Math.max(period * TIMES, LEAST))
      return { phrase: text.slice(-period), times: Math.floor(repeated / period) };
  }
  return undefined;
}
