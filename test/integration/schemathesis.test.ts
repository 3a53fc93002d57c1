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
import { DECIDED } from '../support/decided-routes.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const [, VERSION = ''] =
  /^schemathesis==([\d.]+)/m.exec(
    readFileSync(path.join(ROOT, 'scripts/servers/schemathesis/requirements.txt'), 'utf8'),
  ) ?? [];
const PROGRAM = path.join(ROOT, `.runtime/servers/schemathesis-${VERSION}/bin/schemathesis`);
const SETTINGS_FILE = path.join(import.meta.dirname, 'schemathesis/schemathesis.toml');
const CHECKS =
  'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,negative_data_rejection,unsupported_method,ignored_auth,holds_for_others';
const ROLES = ['run', 'worker', 'viewer', 'operator', 'admin'] as const;
const LONG = { timeout: 600_000 };

const SETTINGS = [
  'worker.local=false', // the run of this test is nobody's but its own
  'lease.leaseSeconds=600',
  'lease.selfStopMinutes=60',
  ...ROLES.map((role) => `api.rateLimit.${role}=1000000`),
];

describe('the API against its OpenAPI document', () => {
  let appliance: Appliance;
  let runs: string[];
  const tokens = new Map<string, string>();
  before(async () => {
    appliance = await startAppliance(...SETTINGS);
    runs = [await startRun('sample'), await startRun('another')];
    for (const role of ROLES.filter((each) => each !== 'run')) {
      tokens.set(role, (await appliance.api<NewToken>('POST', '/tokens', { name: role, role })).token);
    }
  });
  after(async () => await appliance[Symbol.asyncDispose]());

  /** A run of a project and by a worker of that name; gives its token. */
  async function startRun(name: string): Promise<string> {
    await appliance.project(name, { agent: 'true' });
    await appliance.task(name);
    await appliance.api('PUT', `/workers/${name}`, {
      protocol: PROTOCOL_VERSION,
      version: '1',
      capacity: 1,
      agents: [],
      isolations: ['bubblewrap', 'directory'],
      host: 'h',
    });
    const claim = { claimId: randomUUID(), waitSeconds: 0 };
    return (await appliance.api<WorkOrder>('POST', `/workers/${name}/claim`, claim)).runToken;
  }

  it('holds for a run, in what a run may do', LONG, async () => {
    const routes = [...DECIDED.run, ...DECIDED['viewer or run']].filter((route) => route.includes(' /api/'));
    const operations = routes.flatMap((route) => ['--include-name', route.replaceAll(/:(\w+)/g, '{$1}')]);
    const { code, output } = await schemathesis(appliance, runs[0]!, {}, operations);
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`Tested: +${routes.length}\\b`));
  });

  it('holds for an administrator, and for everybody else who asks the same', LONG, async () => {
    const others = {
      run: runs[1]!, // the other one has ended, or soon will
      worker: tokens.get('worker')!,
      viewer: tokens.get('viewer')!,
      operator: tokens.get('operator')!,
      nobody: null,
    };
    // Registering a forge asks the server at its address: nothing is sent to addresses that were made up.
    const operations = ['--exclude-path', '/api/v1/forges'];
    const { code, output } = await schemathesis(appliance, tokens.get('admin')!, others, operations);
    assert.equal(code, 0, output);
  });
});

/** Asks all of these operations with a token, and some of what is asked then with those of others, or none. */
async function schemathesis(
  { dataDir, directory }: Appliance,
  token: string,
  others: Record<string, string | null>,
  operations: string[],
): Promise<{ code: number; output: string }> {
  const { url } = JSON.parse(readFileSync(path.join(dataDir, 'run/daemon.json'), 'utf8')) as { url: string };
  const args = [
    '--config-file',
    SETTINGS_FILE,
    'run',
    `${url}/api/openapi.json`,
    '--phases',
    'coverage,fuzzing',
    '--max-examples',
    '4',
    '--checks',
    CHECKS,
    '--seed',
    '1',
    '--generation-database',
    'none',
    '--no-color',
    '--request-timeout',
    '10',
    '--continue-on-failure',
    '--no-shrink',
    '--header',
    `Authorization: Bearer ${token}`,
    ...operations,
  ];
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    PYTHONPATH: path.join(ROOT, 'test/integration/schemathesis'),
    SCHEMATHESIS_HOOKS: 'hooks',
    OTHER_TOKENS: JSON.stringify(others),
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
