// Reading JSON that others wrote without trusting its shape: a wrong type reads as empty. Used by the three wires.

export type JsonObject = Record<string, unknown>;

/** The value if it is an object, else an empty one. */
export function object(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** The objects of a list; anything else is left out. */
export function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : [];
}

/** The value if it is a string, else ''. */
export function string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The value if it is a count (whole, not negative), else undefined. */
export function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The text of a message's content: a string, or parts of which those with `text` count. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return objects(content)
    .map((part) => string(part.text))
    .filter((text) => text !== '')
    .join('\n');
}

/** Parses JSON text; undefined when it is none. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
