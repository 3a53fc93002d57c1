// Text that other people wrote, made safe to stand in a task or a message. Used where tasks are made of issues, and by intake.

/** Text as lines that each begin with `>`: nothing in it can look like the words of whoever gives the task. */
export function quoted(text: string): string {
  const lines = plain(text)
    .trim()
    .split(/\r\n|[\n\r\u2028\u2029]/);
  return lines.length === 1 && lines[0] === '' ? '' : lines.map((line) => `> ${line}`).join('\n');
}

/** A name or a title, as part of a sentence. */
export function oneLine(text: string): string {
  return plain(text).replaceAll(/\s+/g, ' ').trim().slice(0, 200);
}

/** Neither characters that cannot be stored nor those that show text in another order than it has. */
export function plain(text: string): string {
  return text.toWellFormed().replaceAll(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]/g, '');
}
