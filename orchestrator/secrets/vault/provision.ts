// What Autocode needs in an unsealed Vault: audit device, KV store, policies (vault/policies), AppRoles. Every step looks first
// and may be repeated. Used by setup.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { ORCHESTRATOR_ROLE, WORKER_ROLE, type Call } from './credentials.ts';
import { statusOf } from './failure.ts';

const POLICIES = join(import.meta.dirname, '../../../vault/policies');
const AUDIT_DEVICE = 'autocode';
const UPGRADE_MS = 30_000;

/** Of tokens and secret ids, by role; the orchestrator replaces its secret id every day. */
const ROLES: Record<string, { policy: string; tokenHours: number; secretIdHours: number }> = {
  [ORCHESTRATOR_ROLE]: { policy: 'orchestrator', tokenHours: 1, secretIdHours: 90 * 24 },
  [WORKER_ROLE]: { policy: 'worker', tokenHours: 1, secretIdHours: 24 },
  'autocode-injector': { policy: 'injector', tokenHours: 1, secretIdHours: 90 * 24 },
};
const LONGEST_TOKEN = '24h';

const Named = z.object({ data: z.record(z.string(), z.unknown()) });
const Mounts = z.object({
  data: z.record(
    z.string(),
    z.object({ type: z.string(), options: z.record(z.string(), z.string()).nullish() }),
  ),
});

/** Puts there what is missing; tells what it did. */
export async function provision(
  call: Call,
  { mount, auditFile }: { mount: string; auditFile: string },
): Promise<string[]> {
  const done: string[] = [];
  if (await enableAudit(call, auditFile)) done.push(`audit device writing ${auditFile}`);
  if (await mountStore(call, mount)) done.push(`KV store at ${mount}/`);
  for (const name of ['orchestrator', 'worker', 'injector', 'operator']) {
    const text = readFileSync(join(POLICIES, `${name}.hcl`), 'utf8');
    const policy = text.replaceAll(/"(sys\/mounts\/)?secret(["/])/g, `"$1${mount}$2`);
    await call({ method: 'PUT', path: `sys/policies/acl/autocode-${name}`, body: { policy } }, z.unknown());
  }
  const { data: methods } = await call({ method: 'GET', path: 'sys/auth' }, Named);
  if (!('approle/' in methods))
    await call({ method: 'POST', path: 'sys/auth/approle', body: { type: 'approle' } }, z.unknown());
  for (const [role, { policy, tokenHours, secretIdHours }] of Object.entries(ROLES)) {
    const body = {
      token_policies: [`autocode-${policy}`],
      token_ttl: `${tokenHours}h`,
      token_max_ttl: LONGEST_TOKEN,
      secret_id_ttl: `${secretIdHours}h`,
    };
    await call({ method: 'POST', path: `auth/approle/role/${role}`, body }, z.unknown());
  }
  return [...done, 'policies', 'AppRoles'];
}

/** Before all else, so that the rest of the setup is in its log; false when there is one. */
async function enableAudit(call: Call, file: string): Promise<boolean> {
  const { data: devices } = await call({ method: 'GET', path: 'sys/audit' }, Named);
  if (Object.keys(devices).length > 0) return false;
  const body = { type: 'file', options: { file_path: file, mode: '0600' } };
  try {
    await call({ method: 'PUT', path: `sys/audit/${AUDIT_DEVICE}`, body }, z.unknown());
    return true;
  } catch (error) {
    if (statusOf(error) !== 400 && statusOf(error) !== 500) throw error;
    throw new AutocodeError(
      'ERR_SECRET',
      `Vault makes no audit device that writes ${file}: ${(error as Error).message}`,
      {
        remedy: `Let the user of Vault write there, or give another --audit-file. OpenBao takes devices from its configuration alone: add \`audit "file" "${AUDIT_DEVICE}" { options { file_path = "${file}" } }\` to it and reload it.`,
        cause: error,
      },
    );
  }
}

async function mountStore(call: Call, mount: string): Promise<boolean> {
  const { data: mounts } = await call({ method: 'GET', path: 'sys/mounts' }, Mounts);
  const there = mounts[`${mount}/`];
  if (there !== undefined && (there.type !== 'kv' || there.options?.version !== '2'))
    throw new AutocodeError(
      'ERR_STATE',
      `${mount}/ in Vault is there already and is no KV store of version 2.`,
      {
        remedy: 'Set secrets.vault.mount to another name.',
      },
    );
  const body = { type: 'kv', options: { version: '2' } };
  if (there === undefined) await call({ method: 'POST', path: `sys/mounts/${mount}`, body }, z.unknown());
  // A new store upgrades itself, and refuses everything meanwhile.
  for (const giveUp = performance.now() + UPGRADE_MS; ; await delay(50)) {
    const ready = await call({ method: 'GET', path: `${mount}/config` }, z.unknown()).then(
      () => true,
      (error: unknown) => {
        if (statusOf(error) !== 400 || performance.now() > giveUp) throw error;
        return false;
      },
    );
    if (ready) return there === undefined;
  }
}
