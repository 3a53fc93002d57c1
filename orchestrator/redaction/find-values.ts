// Finds many texts in one at once. Used by redactor.ts.

/** Where a text stands that was looked for. */
export interface Place {
  /** Of what it is, for people. */
  kind: string;
  start: number;
  end: number;
}

/** Characters that are looked at in one step; no text that is looked for may be shorter. */
const BLOCK = 3;
const LONGEST_STEP = 255;

/**
 * A function that gives the places of all `wanted` texts (text → kind) in a text, in their order. It goes over the text in steps of
 * nearly the length of the shortest one (Wu and Manber’s way), however many are looked for.
 */
export function textFinder(wanted: ReadonlyMap<string, string>): (text: string) => Place[] {
  if (wanted.size === 0) return () => [];
  const window = Math.min(...[...wanted.keys()].map(({ length }) => length));
  // How far the window may move on when it ends with such a block; 0: one of the texts may stand in it.
  const steps = new Uint8Array(1 << 16).fill(Math.min(window - BLOCK + 1, LONGEST_STEP));
  const ending: (string[] | undefined)[] = [];
  for (const each of wanted.keys()) {
    for (let end = BLOCK - 1; end < window; end++) {
      const block = blockAt(each, end);
      steps[block] = Math.min(steps[block]!, window - 1 - end);
    }
    const block = blockAt(each, window - 1);
    ending[block] = [...(ending[block] ?? []), each].toSorted((a, b) => b.length - a.length);
  }
  return (text) => {
    const places: Place[] = [];
    for (let end = window - 1; end < text.length;) {
      const block = blockAt(text, end);
      const step = steps[block]!;
      if (step === 0) {
        const start = end - window + 1;
        const found = ending[block]!.find((each) => text.startsWith(each, start));
        if (found !== undefined) places.push({ kind: wanted.get(found)!, start, end: start + found.length });
      }
      end += step === 0 ? 1 : step;
    }
    return places;
  };
}

function blockAt(text: string, end: number): number {
  return ((text.charCodeAt(end - 2) << 10) ^ (text.charCodeAt(end - 1) << 5) ^ text.charCodeAt(end)) & 0xffff;
}
