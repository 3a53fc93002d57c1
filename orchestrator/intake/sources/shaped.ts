// Reads what a source sent by a schema. Used by the sources of queues, of Alertmanager and of Jira.
import { z } from 'zod';

/** What was sent, as the schema has it; the error names what is wrong in a few words. */
export function shaped<S extends z.ZodType>(schema: S, document: unknown, what: string): z.output<S> {
  const read = schema.safeParse(document);
  if (read.success) return read.data;
  throw new Error(`the ${what} is not as it should be: ${z.prettifyError(read.error).slice(0, 500)}`, {
    cause: read.error,
  });
}

/** A JSON object. */
export function jsonObject(text: string, what: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new Error(`the ${what} is no JSON`, { cause });
  }
  if (typeof document === 'object' && document !== null && !Array.isArray(document))
    return document as Record<string, unknown>;
  throw new Error(`the ${what} is no JSON object`);
}

/** A time as AWS and Jira write it, `2026-01-12T16:30:42.236+0000`: that offset has no colon, as ISO 8601 wants one. */
export function timeOf(text: string, what: string): Date {
  const time = new Date(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  if (!Number.isNaN(time.getTime())) return time;
  throw new Error(`the ${what} has a time that is none: ${text.slice(0, 100)}`);
}
