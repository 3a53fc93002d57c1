// Texts from outside as notifications show them. Used by wording.ts and message.ts.

/** One line without control characters and those that change the direction of a text, cut at `longest`. */
export function plainLine(text: string, longest = 200): string {
  const line = text
    .replaceAll(/[\u202A-\u202E\u2066-\u2069\u200E\u200F\u061C]/g, '')
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return cut(line, longest);
}

/** At most so many characters, the last one saying that there were more. */
export function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).toWellFormed()}…`;
}
