// Autocode's own credentials at Vault: role id and secret id in files, the secret id replaced again and again; and one for
// somebody else, which only the one who unwraps it has seen. Used by setup/, the daemon's chore and `secret setup --rotate`.
import { z } from 'zod';
import { writeFileAtomic } from '../../config/atomic-file.ts';
import type { VaultRequest } from './client.ts';

/** A call with a token that may do it. */
export type Call = <T>(request: VaultRequest, schema: z.ZodType<T>) => Promise<T>;

export const ORCHESTRATOR_ROLE = 'autocode-orchestrator';
export const WORKER_ROLE = 'autocode-worker';

const RoleId = z.object({ data: z.object({ role_id: z.string() }) });
const SecretId = z.object({ data: z.object({ secret_id: z.string(), secret_id_accessor: z.string() }) });
const Accessors = z.object({ data: z.object({ keys: z.array(z.string()) }) });
const Wrapped = z.object({ wrap_info: z.object({ token: z.string(), ttl: z.int() }) });

const rolePath = (role: string, rest: string) => `auth/approle/role/${role}/${rest}`;

/** Writes a new secret id (and the role id) into the files, then destroys all older ones. */
export async function renewCredentials(
  call: Call,
  { roleIdFile, secretIdFile }: { roleIdFile: string; secretIdFile: string },
): Promise<void> {
  const role = ORCHESTRATOR_ROLE;
  const { data: id } = await call({ method: 'GET', path: rolePath(role, 'role-id') }, RoleId);
  const { data: made } = await call(
    { method: 'POST', path: rolePath(role, 'secret-id'), body: {} },
    SecretId,
  );
  await writeFileAtomic(roleIdFile, `${id.role_id}\n`);
  await writeFileAtomic(secretIdFile, `${made.secret_id}\n`);
  // Only now: a crash before leaves two that are good, and the next renewal takes the older one away.
  const { data: all } = await call({ method: 'LIST', path: rolePath(role, 'secret-id') }, Accessors);
  for (const accessor of all.keys.filter((each) => each !== made.secret_id_accessor)) {
    const body = { secret_id_accessor: accessor };
    await call({ method: 'POST', path: rolePath(role, 'secret-id-accessor/destroy'), body }, z.unknown());
  }
}

/** A secret id for a worker, wrapped: the token opens it once, within so many seconds, and whoever comes second is told that. */
export async function wrappedWorkerCredential(call: Call, seconds: number): Promise<string> {
  const path = rolePath(WORKER_ROLE, 'secret-id');
  const { wrap_info } = await call({ method: 'POST', path, body: {}, wrapSeconds: seconds }, Wrapped);
  return wrap_info.token;
}

/** What a wrapping token holds; needs no other token. */
export async function unwrapCredential(ask: Call, token: string): Promise<string> {
  const { data } = await ask({ method: 'POST', path: 'sys/wrapping/unwrap', body: {}, token }, SecretId);
  return data.secret_id;
}
