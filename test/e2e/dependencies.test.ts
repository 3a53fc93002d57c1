// Caches of dependencies on a whole appliance, with the real npm in sandboxes: what one run has fetched the next one does not, until
// they are cleared; a run that fails leaves nothing.
import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { DependencyCache } from '../../protocol/dependency-cache.ts';
import { MITMDUMP, npmDirectory, openServers } from '../support/egress-rig.ts';
import { packageSites } from '../support/package-sites.ts';
import { startAppliance, type Appliance } from './appliance.ts';

const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'autocode-registry-')));
const BASE = 'https://base.example';
let served = 0;
let servers: Awaited<ReturnType<typeof openServers>>;
let appliance: Appliance;

before(async () => {
  const files = packageSites(directory, BASE);
  servers = await openServers(directory, (request: IncomingMessage, response: ServerResponse) => {
    const file = files.get(request.url ?? '');
    if (request.url === '/npm/tiny.tgz') served += 1;
    const scheme = (request.socket as TLSSocket).encrypted ? 'https' : 'http';
    const own = `${scheme}://${request.headers.host}`;
    response.statusCode = file === undefined ? 404 : 200;
    response.end(request.url === '/npm/tiny' ? file?.toString().replace(BASE, own) : file);
  });
  appliance = await startAppliance(
    'egress.proxy=true',
    `egress.program=${MITMDUMP}`,
    `egress.upstreamCa=${servers.trust}`,
    'limits.retries.agent=0',
    `sandbox.toolchains=${JSON.stringify([npmDirectory()])}`,
  ).catch((error: unknown) => {
    servers.close(); // else they keep this process
    throw error;
  });
  const rule = `method=GET host=localhost:${servers.secure} address=127.0.0.1 path=/npm/**`;
  await appliance.autocode('egress', 'policy', 'allow', rule);
});
after(async () => {
  await appliance?.[Symbol.asyncDispose]();
  servers?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A project whose check installs the package; what can be done with it. */
async function shop(isolation: 'bubblewrap' | 'directory') {
  const confined = isolation === 'bubblewrap';
  const registry = confined
    ? `https://localhost:${servers.secure}/npm/`
    : `http://localhost:${servers.plain}/npm/`;
  await appliance.project(isolation, {
    agent: 'true',
    limits: { maxIterations: 1 },
    files: {
      answer: '41\n',
      'package.json': '{"name": "shop", "private": true, "dependencies": {"tiny": "1.0.0"}}',
      '.gitignore': 'node_modules\npackage-lock.json\n',
      check: `export NO_PROXY= no_proxy= PATH="$PATH:${path.dirname(process.execPath)}"
node ${npmDirectory()}/bin/npm-cli.js install --no-audit --no-fund --registry ${registry} || exit 2
grep -q 'from npm' node_modules/tiny/index.js && test "$(cat answer)" = 42\n`,
    },
  });
  await appliance.api('PATCH', `/projects/${isolation}`, { isolation });
  return {
    /** How often the package was fetched in a run whose agent does this, and its log. */
    async run(script: string, state: 'completed' | 'failed'): Promise<{ fetched: number; log: string }> {
      const before = served;
      await appliance.api('PATCH', `/projects/${isolation}`, { agentCommand: ['sh', '-c', script] });
      const task = await appliance.task(isolation);
      const ended = await appliance.ended(task);
      assert.equal(ended.state, state, ended.reason ?? '');
      const log = await appliance.autocode('task', 'logs', String(task));
      if (!confined) return { fetched: served - before, log };
      const asked = `/traffic?run=${task}-1&text=tiny.tgz&limit=100`; // the proxy may have kept it
      return { fetched: (await appliance.api<{ records: unknown[] }>('GET', asked)).records.length, log };
    },
    caches: async () =>
      JSON.parse(
        await appliance.autocode('project', 'memory', 'caches', isolation, '--json'),
      ) as DependencyCache[],
  };
}

test('in a sandbox, what a run has fetched later ones do not; one that fails leaves nothing', async () => {
  const { run, caches } = await shop('bubblewrap');
  const failed = await run('true', 'failed');
  assert.equal(failed.fetched, 1, 'once, by the base, for all sandboxes of the run');
  assert.deepEqual(await caches(), []);
  assert.equal((await run('echo 42 > answer', 'completed')).fetched, 1);
  const [cache, ...others] = await caches();
  assert.deepEqual([cache?.repository, cache?.kind, others], ['bubblewrap', 'bubblewrap', []]);
  assert.ok(cache!.bytes > 100);
  const later = await run('echo 42 > answer', 'completed');
  assert.equal(later.fetched, 0);
  assert.match(later.log, new RegExp(`Package managers have what run ${cache!.run} left in their caches`));
  assert.match(await appliance.autocode('worker', 'cache'), /dependencies +\d+ +\d+-1 /);
});

test('without a sandbox the same, until they are cleared', async () => {
  const { run, caches } = await shop('directory');
  const fetched = async () => (await run('echo 42 > answer', 'completed')).fetched;
  assert.equal(await fetched(), 1);
  assert.equal(await fetched(), 0);
  await appliance.autocode('project', 'memory', 'clear', 'directory', '--caches', '--yes');
  assert.deepEqual(await caches(), []);
  assert.equal(await fetched(), 1);
});
