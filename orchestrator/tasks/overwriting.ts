// Keeps one editor from overwriting what another has changed meanwhile. Used where a task or a project is edited.
import { isDeepStrictEqual } from 'node:util';
import { AutocodeError } from '../../protocol/errors.ts';

/** ERR_CONFLICT, with both values, where something is not as the editor saw it any more. */
export function refuseOverwriting<T extends object>(
  what: string,
  now: T,
  was: { [field in keyof T]?: unknown },
): void {
  const moved = (Object.keys(was) as (keyof T & string)[]).filter(
    (field) => was[field] !== undefined && !isDeepStrictEqual(was[field], now[field]),
  );
  if (moved.length === 0) return;
  throw new AutocodeError('ERR_CONFLICT', `Somebody has changed ${what} meanwhile: ${moved.join(', ')}.`, {
    remedy: 'Look at it as it is now, and change that.',
    details: {
      changed: Object.fromEntries(moved.map((field) => [field, { was: was[field], is: now[field] }])),
    },
  });
}
