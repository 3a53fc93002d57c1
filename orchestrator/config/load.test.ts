import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkConfig, loadConfig } from './load.ts';

function temporaryDirectory(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'autocode-config-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

function written(directory: string, yaml: string): string {
  const file = join(directory, 'autocode.yaml');
  writeFileSync(file, yaml);
  return file;
}

test('the defaults work, and nobody changes them', () => {
  const { config } = loadConfig({ env: {} });
  assert.equal(config.api.port, 'auto');
  assert.deepEqual(config.roles, ['api', 'gateway', 'scheduler']);
  assert.match(config.dataDir, /\.data$/);
  assert.throws(() => Object.assign(config.api, { port: 1 }), TypeError);
  assert.throws(() => Object.assign(config.limits.retries, { agent: 9 }), TypeError);
});

test('flags come before the environment, that before the file, and each value tells where it is from', () => {
  using directory = temporaryDirectory();
  const file = written(
    directory.path,
    'api:\n  host: a\n  port: 1\n  bodyLimitBytes: 2000\nlog: {level: debug}\n',
  );
  const loaded = loadConfig({
    file,
    env: { AUTOCODE_API_HOST: 'b', AUTOCODE_API_PORT: '2' },
    set: ['api.port=3'],
  });
  const { host, port, bodyLimitBytes } = loaded.config.api;
  assert.deepEqual({ host, port, bodyLimitBytes }, { host: 'b', port: 3, bodyLimitBytes: 2000 });
  const sources = ['api.port', 'api.host', 'api.bodyLimitBytes', 'log.level', 'currency'].map((path) =>
    loaded.sourceOf(path),
  );
  assert.deepEqual(sources, ['--set', 'AUTOCODE_API_HOST', `${file}:4:19`, `${file}:5:14`, 'default']);
});

const texts: [string, string, unknown, string][] = [
  ['a number stays text where text is wanted', 'worker.name=123', '123', 'worker.name'],
  ['a list may be written with commas', 'roles=api, gateway', ['api', 'gateway'], 'roles'],
  ['a list may be written as YAML', 'roles=[api]', ['api'], 'roles'],
  ['a boolean', 'worker.local=false', false, 'worker.local'],
  ['a port may be auto', 'api.port=auto', 'auto', 'api.port'],
  [
    'a value may hold an equals sign',
    'database.url=postgres://h/d?a=b',
    'postgres://h/d?a=b',
    'database.url',
  ],
];
for (const [name, flag, expected, path] of texts) {
  test(`text becomes a value: ${name}`, () => {
    const { config } = loadConfig({ env: {}, set: [flag] });
    assert.deepEqual(
      path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], config),
      expected,
    );
  });
}

test('relative paths mean: from the file, or from where the command was typed', () => {
  using directory = temporaryDirectory();
  const engine = 'models:\n  engines:\n    - {kind: replay, name: r, recording: tapes/one.jsonl}\n';
  const file = written(directory.path, `dataDir: data\n${engine}`);
  const { config } = loadConfig({ file, env: {}, cwd: '/elsewhere' });
  assert.equal(config.dataDir, join(directory.path, 'data'));
  const replay = config.models.engines[0];
  assert.equal(replay?.kind === 'replay' && replay.recording, join(directory.path, 'tapes/one.jsonl'));
  assert.equal(
    loadConfig({ env: { AUTOCODE_DATA_DIR: 'x' }, cwd: '/elsewhere' }).config.dataDir,
    '/elsewhere/x',
  );
});

test("the data directory's own file is found, DATABASE_URL is taken, a foreign variable is warned of", () => {
  using directory = temporaryDirectory();
  mkdirSync(join(directory.path, 'config'));
  const file = written(join(directory.path, 'config'), 'currency: EUR\n');
  const env = { AUTOCODE_DATA_DIR: directory.path, DATABASE_URL: 'postgresql://h/d', AUTOCODE_API_PROT: '1' };
  const loaded = loadConfig({ env });
  assert.equal(loaded.file, file);
  assert.equal(loaded.config.currency, 'EUR');
  assert.equal(loaded.config.database.url, 'postgresql://h/d');
  assert.equal(loaded.sourceOf('database.url'), 'DATABASE_URL');
  assert.match(loaded.warnings.join(), /AUTOCODE_API_PROT/);
});

test('all mistakes are told at once, each with its place and what to do', () => {
  using directory = temporaryDirectory();
  const file = written(
    directory.path,
    [
      'api:',
      '  prot: 1',
      '  port: 99999',
      'lease:',
      '  leaseSeconds: 5',
      'models:',
      '  engines:',
      '    - kind: upstream',
      '      name: a',
      'retention: {}',
      'limits:',
      '  runLogsDays: 3',
    ].join('\n'),
  );
  const { mistakes } = checkConfig({
    file,
    env: { AUTOCODE_LOG_LEVEL: 'loud' },
    set: ['api.hots=1', 'worker', 'notifications.push={}'],
  });
  const told = mistakes
    .map(({ where, path, message }) => `${where.replace(file, 'file')} ${path} ${message}`)
    .sort();
  assert.deepEqual(told, [
    '--set api.hots is not a key; did you mean api.host?',
    '--set notifications.push is not a key but a part with keys of its own, as notifications.push.enabled',
    '--set worker has no value; write it as key=value',
    'AUTOCODE_LOG_LEVEL log.level invalid option: expected one of "error"|"warn"|"info"|"debug"',
    'file:12:16 limits.runLogsDays is not a key; did you mean retention.runLogsDays?',
    'file:2:9 api.prot is not a key; did you mean api.port?',
    'file:3:9 api.port use a port from 1 to 65535, or auto',
    'file:5:17 lease.leaseSeconds must be at least twice lease.heartbeatSeconds, or one late heartbeat loses a run',
    'file:8:7 models.engines.0.models is missing',
    'file:8:7 models.engines.0.url use an http or https address',
  ]);
  assert.throws(() => loadConfig({ file, env: {} }), {
    code: 'ERR_CONFIG',
    message: /file|autocode\.yaml:3:9: api\.port use a port/,
  });
});

const broken: [string, string, RegExp][] = [
  ['YAML that is not well formed', 'api: [1\n', /not well formed/],
  ['a key that is written twice', 'currency: USD\ncurrency: EUR\n', /not well formed.*unique/],
  ['a list instead of a map', '- 1\n', /must be a map/],
  [
    'two engines of one name',
    'models: {engines: [{kind: replay, name: r, recording: a}, {kind: replay, name: r, recording: b}]}',
    /is taken/,
  ],
  ['a default model without its engine', 'models: {default: x/y}', /no engine is configured/],
];
for (const [name, yaml, expected] of broken) {
  test(`${name} is refused`, () => {
    using directory = temporaryDirectory();
    const { mistakes } = checkConfig({ file: written(directory.path, yaml), env: {} });
    assert.match(mistakes.map((mistake) => mistake.message).join('\n'), expected);
  });
}

test('an empty file is a configuration, a missing one is not', () => {
  using directory = temporaryDirectory();
  assert.equal(loadConfig({ file: written(directory.path, ''), env: {} }).config.currency, 'USD');
  assert.throws(() => loadConfig({ file: join(directory.path, 'none.yaml'), env: {} }), {
    code: 'ERR_CONFIG',
  });
});
