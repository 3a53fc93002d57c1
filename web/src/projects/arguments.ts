// The program of the agent `command`, as it is typed: it and its arguments, one a line; spaces in an argument stay.

/** What is typed, as the API takes it. */
export function argumentsOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}
