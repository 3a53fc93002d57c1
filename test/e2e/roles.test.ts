// The roles in processes of their own, over one database, as on the appliance.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { testDatabase } from '../support/database.ts';
import { eventually, makeRepository } from './appliance.ts';

const AUTOCODE = path.join(import.meta.dirname, '../../autocode');

test('api, gateway and scheduler in three processes bring a task to its change', async () => {
  await using db = await testDatabase({ empty: true });
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'autocode-roles-')));
  const dataDir = path.join(directory, 'data');
  const env = { ...process.env, DATABASE_URL: db.url, AUTOCODE_DATA_DIR: dataDir };
  const start = async (role: string) => {
    const child = spawn(AUTOCODE, ['up', '--roles', role], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await eventually(() => Promise.resolve(output.includes('ready at') || undefined), `${role} to be ready`);
    return child;
  };
  const children = [await start('gateway'), await start('scheduler'), await start('api')];
  try {
    const { url } = JSON.parse(readFileSync(path.join(dataDir, 'run/daemon.json'), 'utf8')) as {
      url: string;
    };
    const token = readFileSync(path.join(dataDir, 'run/admin-token'), 'utf8').trim();
    const send = async (method: string, route: string, body?: object) => {
      const headers = {
        authorization: `Bearer ${token}`,
        ...(body && { 'content-type': 'application/json' }),
      };
      const answer = await fetch(`${url}/api/v1${route}`, {
        method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
      });
      assert.ok(answer.ok, `${method} ${route}: ${answer.status}`);
      return (await answer.json()) as {
        id: number;
        state: string;
        reason: string | null;
        gatewayUrl: string;
      };
    };
    assert.match((await send('GET', '/status')).gatewayUrl, /^http:\/\/127\.0\.0\.1:\d+$/);
    const repository = makeRepository(path.join(directory, 'repository'), { answer: '41\n' });
    const agent = {
      agent: 'command',
      agentCommand: ['sh', '-c', 'echo 42 > answer'],
      isolation: 'directory',
      trusted: true,
    };
    await send('POST', '/projects', {
      name: 'p',
      repository,
      verify: [{ name: 'test', command: 'grep -q 42 answer' }],
      ...agent,
    });
    const { id } = await send('POST', '/tasks', { project: 'p', title: 'make it right' });
    const task = await eventually(async () => {
      const found = await send('GET', `/tasks/${id}`);
      return ['completed', 'failed', 'cancelled'].includes(found.state) ? found : undefined;
    }, 'the task to end');
    assert.equal(task.state, 'completed', task.reason ?? '');
  } finally {
    for (const child of children.toReversed()) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(directory, { recursive: true, force: true });
  }
});
