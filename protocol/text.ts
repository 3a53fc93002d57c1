// Text that people, programs and agents send. A NUL and a surrogate without its pair cannot be stored by PostgreSQL.
import { z } from 'zod';

/** Text given by a client: what cannot be stored is refused, naming the field. */
export function text() {
  return z
    .string()
    .refine((value) => value.isWellFormed(), 'has half of a surrogate pair, which is no character')
    .regex(/^[^\u0000]*$/, 'has a NUL character, which cannot be stored');
}

/** Text that a runner reports, which stems from an agent's output or a cut: what cannot be stored is replaced, so that no run is stuck with it. */
export function reported() {
  return z.string().overwrite((value) => value.toWellFormed().replaceAll('\0', '\ufffd'));
}
