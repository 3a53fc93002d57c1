// Whose request it is, for routes about what is a person's own. Used by the routes of notifications.
import type { FastifyRequest } from 'fastify';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Rights } from '../access/rights.ts';

/** The rights of the person who asks; ERR_STATE for a token that belongs to none. */
export function rightsOf({ identity }: FastifyRequest): Rights {
  if (identity?.rights !== undefined) return identity.rights;
  throw new AutocodeError('ERR_STATE', 'This token belongs to no person.', {
    remedy: 'Use a token that a person made; what is of the installation is asked for without --own.',
  });
}
