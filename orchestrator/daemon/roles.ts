// Whether the roles of a process can be had as it is configured. Used by main.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Config } from '../config/schema.ts';

/** Fails where processes are to share the work, and only one of them could supervise the database. */
export function checkRoles({ roles, database }: Config): void {
  if (roles.length === 3 || database.url !== undefined) return;
  throw new AutocodeError(
    'ERR_CONFIG',
    `roles is ${roles.join(', ')}, but the database would belong to this process alone.`,
    { remedy: 'Set database.url to a PostgreSQL that all processes reach, or leave roles out.' },
  );
}
