// A long text with one sentence in it that is asked for at its end. Used to see how much of its context a model really reads.

export interface Haystack {
  text: string;
  /** What the answer must contain. */
  word: string;
}

const ASK = 'What is the word for the north gate? Reply with that word alone.';

/** A text of about so many characters; every line differs, so that nothing of it can be guessed or dropped. */
export function haystack(characters: number, seed: number): Haystack {
  const random = generator(seed);
  const word = `amber-${1000 + (random() % 9000)}`;
  const lines: string[] = [];
  let length = ASK.length;
  for (let line = 1; length < characters; line++) {
    const text = `Shelf ${digits(line, 5)} holds ${digits(random(), 4)} crates; ${digits(random(), 2)} of them are open.`;
    lines.push(text);
    length += text.length + 1;
  }
  // Near the beginning: what an engine cuts off in silence, it cuts off there.
  lines.splice(Math.floor(lines.length / 10), 0, `The word for the north gate is ${word}.`);
  return { text: `${lines.join('\n')}\n\n${ASK}`, word };
}

/** The last digits of a number, always as many: then all lines have about as many tokens. */
function digits(number: number, many: number): string {
  return String(number).padStart(many, '0').slice(-many);
}

/** Numbers that are the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
}
