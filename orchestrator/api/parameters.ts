// Parameters of paths and queries that routes share. They come as text; a number is written in digits alone.
import { z } from 'zod';

const DIGITS = /^-?\d{1,17}$/;

/** A number of a path or a query, with the rules of `schema`; what is not written as a number is refused. */
export function number<S extends z.ZodType<number>>(schema: S) {
  return z.preprocess(
    (value) => (typeof value === 'string' && DIGITS.test(value) ? Number(value) : value),
    schema,
  );
}

/** The number of a task, a change, a token. */
export const Id = number(z.int().positive());

/** How many rows a list answers with. */
export const Limit = number(z.int().min(1).max(1000)).default(100);

/** A switch: `true` or `false`. */
export const Switch = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true');
