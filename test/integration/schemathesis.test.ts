// The HTTP API against its own OpenAPI document, by schemathesis, with the token of every role: whatever is sent, the answer
// is one that the document knows, in the shape that it gives.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { before, after, describe, it } from 'node:test';
import type { NewToken } from '../../protocol/access.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import { startAppliance, type Appliance } from '../e2e/appliance.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const [, VERSION = ''] =
  /^schemathesis==([\d.]+)/m.exec(
    readFileSync(path.join(ROOT, 'scripts/servers/schemathesis/requirements.txt'), 'utf8'),
  ) ?? [];
const PROGRAM = path.join(ROOT, `.runtime/servers/schemathesis-${VERSION}/bin/schemathesis`);
const SETTINGS_FILE = path.join(import.meta.dirname, 'schemathesis/schemathesis.toml');
const CHECKS =
  'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,negative_data_rejection,unsupported_method,ignored_auth';
const ROLES = ['run', 'worker', 'viewer', 'operator', 'admin'] as const;
const SECONDS = 600;

/** What a role may do is a part of what an administrator or a run may: the others get few examples, of what they are refused. */
const THOROUGH: string[] = ['run', 'admin'];

const SETTINGS = [
  'worker.local=false', // the run of this test is nobody's but its own
  'lease.leaseSeconds=600',
  'lease.selfStopMinutes=60',
  ...ROLES.map((role) => `api.rateLimit.${role}=1000000`),
];

describe('the API against its OpenAPI document', () => {
  let appliance: Appliance;
  const tokens = new Map<string, string>();
  before(async () => {
    appliance = await startAppliance(...SETTINGS);
    await appliance.project('sample', { agent: 'true' });
    await appliance.task('sample');
    await appliance.api('PUT', '/workers/sample', {
      protocol: PROTOCOL_VERSION,
      version: '1',
      capacity: 9,
      agents: [],
      isolations: ['bubblewrap', 'directory'],
      host: 'h',
    });
    const order = await appliance.api<WorkOrder>('POST', '/workers/sample/claim', {
      claimId: randomUUID(),
      waitSeconds: 0,
    });
    tokens.set('run', order.runToken);
    for (const role of ROLES.slice(1)) {
      tokens.set(role, (await appliance.api<NewToken>('POST', '/tokens', { name: role, role })).token);
    }
  });
  after(async () => await appliance[Symbol.asyncDispose]());

  for (const role of [...ROLES, 'nobody']) {
    it(`holds for ${role}`, { timeout: SECONDS * 1000 }, async () => {
      const { code, output } = await schemathesis(appliance, tokens.get(role), THOROUGH.includes(role));
      assert.equal(code, 0, output);
    });
  }
});

async function schemathesis(
  { dataDir, directory }: Appliance,
  token: string | undefined,
  thorough: boolean,
): Promise<{ code: number; output: string }> {
  const { url } = JSON.parse(readFileSync(path.join(dataDir, 'run/daemon.json'), 'utf8')) as { url: string };
  const effort = thorough
    ? ['--phases', 'coverage,fuzzing', '--max-examples', '4']
    : ['--phases', 'fuzzing', '--max-examples', '2'];
  const args = [
    '--config-file',
    SETTINGS_FILE,
    'run',
    `${url}/api/openapi.json`,
    ...effort,
    '--checks',
    CHECKS,
  ];
  args.push(
    '--seed',
    '1',
    '--generation-database',
    'none',
    '--no-color',
    '--request-timeout',
    '10',
    '--continue-on-failure',
    '--no-shrink',
    // Registering a forge asks the server at its address: nothing is sent to addresses that were made up.
    '--exclude-path',
    '/api/v1/forges',
  );
  if (token !== undefined) args.push('--header', `Authorization: Bearer ${token}`);
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    PYTHONPATH: path.join(ROOT, 'test/integration/schemathesis'),
    SCHEMATHESIS_HOOKS: 'hooks',
    PYTHONDONTWRITEBYTECODE: '1',
  };
  return await new Promise((resolve) => {
    execFile(PROGRAM, args, { env, cwd: directory, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      resolve({
        code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1,
        output: stdout + stderr,
      });
    });
  });
}
