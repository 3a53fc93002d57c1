// Words of the API and of agents, in which commands and names stand between backticks.

/** The words, with what stands between backticks in a line as code. */
export function Told({ words }: { words: string }) {
  return words.split(/`([^`\n]+)`/).map((part, index) => {
    const key = `${index} ${part}`;
    return index % 2 === 1 ? <code key={key}>{part}</code> : <bdi key={key}>{part}</bdi>;
  });
}
