// Texts from outside as notifications show them: plain, on lines that nobody can turn around. Used by wording.ts.

/** One line without control characters and those that change the direction of a text, cut at `longest`. */
export function plainLine(text: string, longest = 200): string {
  const line = text
    .replaceAll(/[\u202A-\u202E\u2066-\u2069\u200E\u200F\u061C]/g, '')
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  const letters = [...line];
  return letters.length <= longest ? line : `${letters.slice(0, longest - 1).join('')}…`;
}
