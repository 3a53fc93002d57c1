// Templates of a mapping: text with JSON pointers in braces, as `Alert {/alert/name}`. Used by sources that a person maps.

/** The value at a JSON pointer (RFC 6901); undefined where there is none. */
export function at(document: unknown, pointer: string): unknown {
  if (pointer === '') return document;
  let value = document;
  for (const part of pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** A template with its pointers filled in; nothing stands where the document has no value. */
export function fill(template: string, document: unknown): string {
  return template.replaceAll(/\{(\/[^{}]*)\}/g, (_all, pointer: string) => {
    const value = at(document, pointer) ?? '';
    return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean);
  });
}
