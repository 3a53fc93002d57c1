// Notes between runs, on a whole appliance: written in one sandbox, read in the next, shown and cleared on the command line.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Memory, MemoryVersion } from '../../protocol/memory.ts';
import { makeRepository, startAppliance } from './appliance.ts';

const appliance = await startAppliance();
after(async () => await appliance[Symbol.asyncDispose]());

// In pieces, so that nobody's search finds it here.
const TOKEN = `gh${'p_'}wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx`;
const FILES = { check: 'test "$(cat answer)" = 42\n', answer: '41\n' };

const REPOSITORY = makeRepository(path.join(appliance.directory, 'shop'), FILES);
/** The agent of a run: a shell script in the directory of its notes. */
const agent = (script: string) => ['sh', '-c', `echo 42 > answer; cd "$AUTOCODE_MEMORY/shop"; ${script}`];

async function done(agentCommand: string[]): Promise<string> {
  await appliance.api('PATCH', '/projects/shop', { agentCommand });
  const task = await appliance.task('shop');
  const ended = await appliance.ended(task);
  assert.equal(ended.state, 'completed', ended.reason ?? '');
  return await appliance.autocode('task', 'logs', String(task));
}

const memory = async (...words: string[]) => await appliance.autocode('project', 'memory', ...words);

before(async () => {
  const verify = [{ name: 'test', command: 'sh ./check' }];
  const about = { name: 'shop', repository: REPOSITORY, agent: 'command', agentCommand: ['true'], verify };
  await appliance.api('POST', '/projects', about);
});

test('a run goes on from the notes of the one before, until they are cleared', async () => {
  const count = agent('echo "run $(cat notes.md 2>/dev/null | wc -l)" >> notes.md');
  await done(count);
  const log = await done(count);
  assert.match(log, /The agent has the notes of earlier runs about shop, version \d+: notes\.md\./);
  const versions = JSON.parse(await memory('log', 'shop', '--json')) as MemoryVersion[];
  assert.deepEqual(
    versions.map(({ run }) => run),
    ['2-1', '1-1'],
  );
  const version = String(versions[1]!.version);
  const [first] = JSON.parse(await memory('show', 'shop', '--version', version, '--json')) as Memory[];
  assert.deepEqual(first?.files, [{ path: 'notes.md', text: 'run 0\n' }]);
  assert.match(await memory('show', 'shop'), /^shop\/notes\.md \(run 2-1, .*\)\nrun 0\nrun 1\n/);
  await assert.rejects(memory('clear', 'shop'), /--yes/);
  await memory('clear', 'shop', '--yes');
  assert.match(await memory('show', 'shop'), /no notes/);
  assert.match(await memory('log', 'shop'), /cleared by/);
});

test('notes with a secret are not kept, which the log of the run tells without the secret', async () => {
  const log = await done(agent(`echo 'token = ${TOKEN.slice(0, 9)}''${TOKEN.slice(9)}' > notes.md`));
  assert.match(log, /The notes about shop are not kept.*line 1 looks like a secret/);
  assert.ok(!log.includes(TOKEN));
  assert.match(await memory('show', 'shop'), /no notes/);
});

test('a project that is set so has no notes', async () => {
  await appliance.autocode('project', 'set', 'shop', '--no-memory');
  assert.match(await appliance.autocode('project', 'show', 'shop'), /notes +none/);
  assert.doesNotMatch(await done(['sh', '-c', 'test -z "$AUTOCODE_MEMORY" && echo 42 > answer']), /notes/);
});
