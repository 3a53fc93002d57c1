// What the API has against a field, by its path in what was sent.
import { ApiError } from '../api/client.ts';

/** The message, where the problem is about that field or something in it. */
export function mistakeAt(problem: unknown, name: string): string | undefined {
  if (!(problem instanceof ApiError) || !Array.isArray(problem.details)) return undefined;
  const told = problem.details as { path?: string; message?: string }[];
  return told.find(({ path }) => path === name || path?.startsWith(`${name}.`))?.message;
}
