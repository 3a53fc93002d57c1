// Where browsers reach this daemon. Used by the routes that give them an address.
import type { FastifyRequest } from 'fastify';
import type { ApiContext } from './context.ts';

/** The configured address, or the one that the request came to; without a slash at the end. */
export function publicUrl({ config }: Pick<ApiContext, 'config'>, request: FastifyRequest): string {
  return (config.api.publicUrl ?? `${request.protocol}://${request.host}`).replace(/\/$/, '');
}
