// Whether a value can be told from ordinary text, so that it may be taken out wherever it stands. Used by the API when one is
// written, and by whoever redacts by value.
const SHORTEST = 8;
/** Words, also capitalised, and short numbers: to take them out would garble what is no secret. */
const ORDINARY = /^(\p{L}{1,16}|\d{1,9})$/u;
const DISTINCT = 5;

/** Why a value cannot be taken out of texts; null when it can. */
export function notRedactable(value: string): string | null {
  if (value.length < SHORTEST) return `it has less than ${SHORTEST} characters`;
  if (ORDINARY.test(value)) return 'it is a word or a number that stands in ordinary text too';
  if (new Set(value).size < DISTINCT) return `it is made of less than ${DISTINCT} different characters`;
  return null;
}
