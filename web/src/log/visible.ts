// Text that others wrote, made harmless to look at: what would reorder, hide or move text is shown as a mark. Used by log and task.

// Controls but tab and newline, marks of direction, separators of lines and paragraphs, what has no width.
// eslint-disable-next-line no-control-regex
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** The same text with a mark, as ‹202E›, where a character would not be seen or would change how others are. */
export function visible(text: string): string {
  return text.replaceAll(HIDDEN, (character) => {
    const code = character.codePointAt(0)!;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code); // pictures of controls
    return `‹${code.toString(16).toUpperCase().padStart(4, '0')}›`;
  });
}
