// Words of the API, in which commands and names stand between backticks.

/** The words, with what stands between backticks as code. */
export function Told({ words }: { words: string }) {
  return words.split('`').map((part, index) => {
    const key = `${index} ${part}`;
    return index % 2 === 1 ? <code key={key}>{part}</code> : <bdi key={key}>{part}</bdi>;
  });
}
