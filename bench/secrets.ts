// How long a cached read of a secret takes, against a real OpenBao; and how fast texts are redacted, 500 live values and all
// shapes of tokens, against a plain copy of the same bytes in the same run.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { startOpenBao } from '../test/support/openbao.ts';
import { vaultClient } from '../orchestrator/secrets/vault/client.ts';
import { renewCredentials, type Call } from '../orchestrator/secrets/vault/credentials.ts';
import { provision } from '../orchestrator/secrets/vault/provision.ts';
import { redactor } from '../orchestrator/redaction/redactor.ts';
import { vaultSecrets } from '../orchestrator/secrets/vault.ts';
import { report } from './report.ts';

const READS = 100_000;
const FRESH_READS = 300;
const VALUES = 500;
const TEXT_BYTES = 64 * 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

const { cachedUs, freshMs } = await reads();
const { copiedMbs, valuesMbs, redactedMbs } = redaction();
console.error(
  `a read from Vault ${freshMs.toFixed(2)} ms, cached ${cachedUs.toFixed(2)} µs; ` +
    `texts redacted at ${redactedMbs.toFixed(0)} MB/s, by values alone at ${valuesMbs.toFixed(0)} MB/s, a copy ${copiedMbs.toFixed(0)} MB/s`,
);
report('secrets', [
  { name: 'cached read', value: cachedUs, unit: 'µs', atMost: 50 },
  {
    name: `redaction of ${VALUES} live values and all shapes`,
    value: redactedMbs,
    unit: 'MB/s',
    atLeast: 100,
  },
]);

async function reads() {
  await using vault = await startOpenBao();
  const { root } = await vault.initialise();
  const client = await vaultClient(vault);
  const asRoot: Call = async (request, schema) => await client.call({ ...request, token: root }, schema);
  const login = {
    address: vault.address,
    caFile: vault.caFile,
    roleIdFile: join(vault.directory, 'role-id'),
    secretIdFile: join(vault.directory, 'secret-id'),
  };
  await provision(asRoot, { mount: 'secret', auditFile: join(vault.directory, 'audit.log') });
  await renewCredentials(asRoot, login);
  const secrets = vaultSecrets({ ...login, mount: 'secret' });
  for (let n = 0; n < FRESH_READS; n++) await secrets.put(`key-${n}`, `sk-${n}-${'x'.repeat(40)}`);
  const fresh = performance.now();
  for (let n = 0; n < FRESH_READS; n++) await secrets.get(`key-${n}`);
  const freshMs = (performance.now() - fresh) / FRESH_READS;
  const cached = performance.now();
  for (let n = 0; n < READS; n++) await secrets.get('key-1');
  const cachedUs = ((performance.now() - cached) * 1000) / READS;
  await secrets.close();
  await client.close();
  return { cachedUs, freshMs };
}

/** Texts in pieces of 64 KiB, as logs are; MB/s of each way to go over them. */
function redaction() {
  const values = Array.from({ length: VALUES }, (_, n) => randomBytes(16 + (n % 24)).toString('base64url'));
  const line =
    'export function handle(request, response) { response.end(JSON.stringify({ ok: true })); } // ';
  const lines = Array.from({ length: TEXT_BYTES / line.length }, (_, n) =>
    n % 400 === 0 ? `${line}${values[n % VALUES]}` : `${line}${n}`,
  );
  const bytes = Buffer.from(lines.join('\n'));
  const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE_BYTES) }, (_, n) =>
    bytes.subarray(n * PIECE_BYTES, (n + 1) * PIECE_BYTES).toString('latin1'),
  );
  const { text, values: byValues } = redactor(values.map((value, n) => ({ name: `key-${n}`, value })));
  // Other processes take the processor away for milliseconds at a time: of each piece the best of three counts.
  const timed = (each: (piece: string) => unknown) => {
    const best = pieces.map(() => Infinity);
    for (let round = 0; round < 3; round++)
      for (const [n, piece] of pieces.entries()) {
        const began = performance.now();
        each(piece);
        best[n] = Math.min(best[n]!, performance.now() - began);
      }
    return bytes.length / 1e6 / (best.reduce((sum, ms) => sum + ms, 0) / 1000);
  };
  return {
    copiedMbs: timed((piece) => Buffer.from(piece, 'latin1')),
    valuesMbs: timed(byValues),
    redactedMbs: timed(text),
  };
}
