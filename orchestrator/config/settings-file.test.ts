// The file of the configuration as the file system has it: killed writers, links, owners, directories that nobody may write to.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { changeSettingsFile } from './settings-file.ts';

const MODULE = path.join(import.meta.dirname, 'settings-file.ts');

function place(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-settings-'));
  chmodSync(directory, 0o755);
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}
const change = async (file: string, set: object) =>
  await changeSettingsFile({ file, env: {} }, { set: { ...set }, unset: [] });

/** Another process that runs `code` with `change(set)` at hand. */
function program(file: string, code: string) {
  const head = `import { changeSettingsFile } from ${JSON.stringify(MODULE)};
    const change = (set) => changeSettingsFile({ file: ${JSON.stringify(file)}, env: {} }, { set, unset: [] });`;
  return spawn(process.execPath, ['--input-type=module-typescript', '-e', `${head}\n${code}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

test('a writer that is killed leaves the file as it was or as it is to be', async (t) => {
  const file = path.join(place(t), 'autocode.yaml');
  const head = `# ${'a long comment '.repeat(2000)}\n`;
  writeFileSync(file, `${head}api:\n  bodySeconds: 1\n`);
  for (let round = 0; round < 3; round++) {
    const writer = program(
      file,
      `for (let n = 1; ; n = n % 3000 + 1) { await change({ 'api.bodySeconds': n }); if (n === 20) console.log('on'); }`,
    );
    await once(writer.stdout, 'data');
    writer.kill('SIGKILL');
    await once(writer, 'close');
    const text = readFileSync(file, 'utf8');
    assert.ok(text.startsWith(head));
    assert.match(text.slice(head.length), /^api:\n {2}bodySeconds: \d+\n$/);
  }
  await change(file, { 'api.bodySeconds': 7 });
  assert.ok(readFileSync(file, 'utf8').endsWith('bodySeconds: 7\n'));
});

test('of several who change it at once none loses what another has written', async (t) => {
  const file = path.join(place(t), 'config/autocode.yaml');
  const wanted = { 'api.bodySeconds': 40, 'log.level': 'debug', currency: 'EUR', 'agents.default': 'aider' };
  const done = await Promise.allSettled(
    Object.entries(wanted).map(async ([key, value]) => await change(file, { [key]: value })),
  );
  assert.ok(done.some(({ status }) => status === 'fulfilled'));
  for (const each of done) if (each.status === 'rejected') assert.equal(each.reason.code, 'ERR_CONFLICT');
  const text = readFileSync(file, 'utf8');
  Object.keys(wanted).forEach((key, index) => {
    if (done[index]!.status === 'fulfilled') assert.match(text, new RegExp(`${key.split('.').at(-1)}:`));
  });
});

test('a link stays one, and mode and owner stay those of the file', async (t) => {
  const directory = place(t);
  mkdirSync(path.join(directory, 'kept'));
  const [link, target] = [path.join(directory, 'autocode.yaml'), path.join(directory, 'kept/settings.yaml')];
  writeFileSync(target, 'currency: USD\n', { mode: 0o604 });
  const before = statSync(target);
  symlinkSync(target, link);
  await change(link, { currency: 'EUR' });
  assert.ok(lstatSync(link).isSymbolicLink());
  const { mode, uid, gid } = statSync(target);
  assert.deepEqual([mode, uid, gid], [before.mode, before.uid, before.gid]);
  assert.deepEqual(readdirSync(path.join(directory, 'kept')), ['settings.yaml']);
});

test('what is made anew belongs to whom the directory belongs that it is in', async (t) => {
  const directory = place(t);
  const owner = process.getuid?.() === 0 ? 65534 : statSync(directory).uid;
  chownSync(directory, owner, statSync(directory).gid);
  const file = path.join(directory, 'config/autocode.yaml');
  await change(file, { currency: 'EUR' });
  assert.deepEqual([statSync(path.dirname(file)).uid, statSync(file).uid], [owner, owner]);
});

test('a file that this process cannot replace is refused with what to do', async (t) => {
  const directory = place(t);
  const file = path.join(directory, 'autocode.yaml');
  writeFileSync(file, 'currency: USD\n', { mode: 0o644 });
  chmodSync(directory, 0o555);
  const nobody = program(
    file,
    `if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
     await change({ currency: 'EUR' }).catch(({ code, message, remedy }) => console.log(code, message, remedy));`,
  );
  const [output] = (await once(nobody.stdout, 'data')) as [Buffer];
  await once(nobody, 'close');
  chmodSync(directory, 0o755);
  assert.match(
    output.toString(),
    /^ERR_STATE .* the daemon may not write there.* `sudo autocode config set/s,
  );
  assert.equal(readFileSync(file, 'utf8'), 'currency: USD\n');
});
