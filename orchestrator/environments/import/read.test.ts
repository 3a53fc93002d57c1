import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { bytesOf, folder, ociFiles, savedImage, tarOf, type Entry } from '../testing/archives.ts';
import { readSource } from './read.ts';
import { archiveOf } from './write.ts';

const place = mkdtempSync(path.join(tmpdir(), 'autocode-import-test-'));
after(() => rmSync(place, { recursive: true }));
let made = 0;

/** A file with these bytes. */
function file(bytes: Buffer): string {
  const name = path.join(place, String(++made));
  writeFileSync(name, bytes);
  return name;
}

/** What the archive of a path holds, as `tar` lists it, and the text of its files. */
async function imported(source: string) {
  const { tree, close, ...about } = await readSource(source, () => {});
  const archive = await bytesOf(archiveOf(tree, {}));
  await close();
  const list = execFileSync('tar', ['-tvf', '-'], {
    input: archive,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, TZ: 'UTC' },
  });
  const text = (name: string) =>
    execFileSync('tar', ['-xOf', '-', `root/${name}`], { input: archive, encoding: 'utf8' });
  const names = list
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(/^(\S+) \S+ +\d+ \S+ \S+ /, '$1 '));
  return { ...about, archive, names, text, leftOut: tree.leftOut };
}

const LOWER: Entry[] = [
  folder('usr/'),
  folder('usr/bin/'),
  { name: 'bin', kind: 'link', target: 'usr/bin' },
  { name: 'usr/bin/sh', text: 'shell' },
  { name: 'usr/bin/gone', text: 'x' },
  folder('usr/share/'),
  folder('usr/share/doc/'),
  { name: 'usr/share/doc/old', text: 'x' },
];
const UPPER: Entry[] = [
  { name: 'bin/tool', text: 'tool' },
  { name: 'usr/bin/.wh.gone' },
  { name: 'usr/share/doc/new', text: 'y' },
  { name: 'usr/share/doc/.wh..wh..opq' },
  { name: 'usr/bin/again', kind: 'hard-link', target: 'usr/bin/sh' },
];
const TOP: Entry[] = [{ name: 'usr/bin/tool', text: 'better tool' }, { name: '.wh.nothing' }];
const MERGED = [
  '-rw-r--r-- environment.json',
  'drwxr-xr-x root',
  'lrwxrwxrwx root/bin -> usr/bin',
  'drwxr-xr-x root/usr',
  'drwxr-xr-x root/usr/bin',
  '-rwxr-xr-x root/usr/bin/again',
  'hrwxr-xr-x root/usr/bin/sh link to root/usr/bin/again',
  '-rwxr-xr-x root/usr/bin/tool',
  'drwxr-xr-x root/usr/share',
  'drwxr-xr-x root/usr/share/doc',
  '-rwxr-xr-x root/usr/share/doc/new',
];
const VARIABLES = ['PATH=/usr/bin', 'A=b'];

test('layers are put over each other: whiteouts hide what is below, links to directories are followed within the root', async () => {
  const oci = ociFiles([LOWER, UPPER, TOP], VARIABLES);
  const layout = path.join(place, 'layout');
  for (const [name, bytes] of oci) {
    mkdirSync(path.dirname(path.join(layout, name)), { recursive: true });
    writeFileSync(path.join(layout, name), bytes);
  }
  const ociArchive = tarOf([...oci].map(([name, text]) => ({ name, text })));
  const saved = tarOf(savedImage([LOWER, UPPER, TOP], VARIABLES));
  const sources = {
    layout,
    'OCI archive': file(ociArchive),
    'docker save': file(saved),
    gzip: file(gzipSync(saved)),
  };
  const archives = new Set<string>();
  for (const [kind, source] of Object.entries(sources)) {
    const { names, text, variables, what, archive } = await imported(source);
    assert.deepEqual(names, MERGED, kind);
    assert.deepEqual(
      [text('usr/bin/tool'), text('usr/bin/again'), variables],
      ['better tool', 'shell', VARIABLES],
      kind,
    );
    assert.match(what, /of 3 layers/);
    archives.add(archive.toString('latin1'));
  }
  assert.equal(archives.size, 1, 'the same files give the same bytes');
});

test('a root directory, and a tar of it, give the same archive: without owners, set-user-id bits and what is not of a root', async () => {
  const root = path.join(place, 'root');
  for (const name of ['bin', 'etc', 'dev', 'root', 'var/lib/x', 'var/cache/y', 'tmp', 'opt/autocode'])
    mkdirSync(path.join(root, name), { recursive: true });
  writeFileSync(path.join(root, 'bin/sh'), 'shell');
  writeFileSync(path.join(root, 'etc/shadow'), 'secret');
  writeFileSync(path.join(root, 'etc/conf'), 'c', { mode: 0o600 });
  writeFileSync(path.join(root, 'root/key'), 'secret');
  linkSync(path.join(root, 'bin/sh'), path.join(root, 'bin/ash'));
  symlinkSync('/etc/../../../bin/sh', path.join(root, 'bin/absolute'));
  execFileSync('chmod', ['4755', path.join(root, 'bin/sh')]);
  execFileSync('mkfifo', [path.join(root, 'bin/pipe')]);
  const direct = await imported(root);
  assert.deepEqual(direct.names.slice(1), [
    'drwxr-xr-x root',
    'drwxr-xr-x root/bin',
    'lrwxrwxrwx root/bin/absolute -> /etc/../../../bin/sh',
    '-rwxr-xr-x root/bin/ash',
    'hrwxr-xr-x root/bin/sh link to root/bin/ash',
    'drwxr-xr-x root/etc',
    '-rw------- root/etc/conf',
    'drwxr-xr-x root/opt',
    'drwxr-xr-x root/var',
    'drwxr-xr-x root/var/lib',
    'drwxr-xr-x root/var/lib/x',
  ]);
  assert.deepEqual([...direct.leftOut.keys()].sort(), [
    '/root',
    '/var but /var/lib',
    'devices, pipes and others that are no files',
    'set-user-id and set-group-id bits',
  ]);
  const archive = path.join(place, 'root.tar');
  execFileSync('tar', ['-C', root, '--sort=name', '-cf', archive, '.']);
  for (const bytes of [readFileSync(archive), zstdCompressSync(readFileSync(archive))])
    assert.ok((await imported(file(bytes))).archive.equals(direct.archive));
});

test('names that are long, and files of GNU tar with them, come through whole', async () => {
  const root = path.join(place, 'long');
  const deep = path.join('usr', 'd'.repeat(120), 'e'.repeat(200));
  mkdirSync(path.join(root, deep), { recursive: true });
  writeFileSync(path.join(root, deep, 'ö'.repeat(60)), 'found');
  symlinkSync('t'.repeat(300), path.join(root, 'usr/link'));
  const direct = await imported(root);
  assert.equal(direct.text(`${deep}/${'ö'.repeat(60)}`), 'found');
  for (const format of ['gnu', 'posix']) {
    const archive = path.join(place, `${format}.tar`);
    execFileSync('tar', ['-C', root, `--format=${format}`, '-cf', archive, '.']);
    assert.ok((await imported(archive)).archive.equals(direct.archive), format);
  }
});

test('an archive that is hostile, damaged or no root is refused', async () => {
  const cases: [RegExp, Buffer][] = [
    [/leads out of the root/, tarOf([{ name: '../../etc/passwd', text: 'x' }])],
    [/leads out of the root/, tarOf([folder('a'), { name: 'a/../../b', text: 'x' }])],
    [
      /hard link to "..\/etc\/shadow"|leads out/,
      tarOf([{ name: 'x', kind: 'hard-link', target: '../etc/shadow' }]),
    ],
    [/hard link to .* no file in it/, tarOf([{ name: 'x', kind: 'hard-link', target: 'etc/shadow' }])],
    [
      /links without end/,
      tarOf([
        { name: 'a', kind: 'link', target: 'a' },
        { name: 'a/b', text: 'x' },
      ]),
    ],
    [
      /is a file, and another entry is in it/,
      tarOf([
        { name: 'a', text: 'x' },
        { name: 'a/b', text: 'x' },
      ]),
    ],
    [/\/etc is no directory/, tarOf([{ name: 'etc', kind: 'link', target: '/usr' }])],
    [/sparse/, tarOf([{ name: 'a', type: 'S' }])],
    [/another sum|no number/, Buffer.from('x'.repeat(1024))],
    [
      /ends in the middle/,
      tarOf([{ name: 'a', text: 'x' }])
        .subarray(0, 700)
        .subarray(0, 300),
    ],
    [/bzip2/, Buffer.from('BZh91AY&SY')],
    [/damaged/, gzipSync(Buffer.alloc(100_000)).subarray(0, 60)],
    [/missing/, tarOf(savedImage([LOWER], []).slice(1))],
  ];
  for (const [message, bytes] of cases)
    await assert.rejects(async () => await imported(file(bytes)), { code: 'ERR_ENVIRONMENT', message });
});

test('a layer that is not what its digest says is refused', async () => {
  const files = ociFiles([LOWER], VARIABLES);
  const [name, bytes] = [...files].find(([, each]) => each[0] === 0x1f)!;
  files.set(name, Buffer.concat([bytes, Buffer.alloc(1)]));
  const archive = tarOf([...files].map(([each, text]) => ({ name: each, text })));
  await assert.rejects(imported(file(archive)), { code: 'ERR_ENVIRONMENT', message: /damaged layer/ });
});

test('a link that leads out of the root stays within it', async () => {
  const { names } = await imported(
    file(
      tarOf([
        { name: 'out', kind: 'link', target: '/../../tmp' },
        { name: 'out/x', text: 'inside' },
        folder('usr'),
      ]),
    ),
  );
  assert.deepEqual(names.slice(2), ['lrwxrwxrwx root/out -> /../../tmp', 'drwxr-xr-x root/usr']);
});
