// One package for each of git, npm and pip, as files that any web server may serve: enough for these clients.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The files by their paths below `base`; `directory` is to work in. What is in them: `from git`, `from npm`, nothing. */
export function packageSites(directory: string, base: string): Map<string, Buffer> {
  return new Map([...gitSite(directory), ...npmSite(directory, base), ...pipSite(directory)]);
}

function gitSite(directory: string): [string, Buffer][] {
  const tree = path.join(directory, 'tiny');
  const bare = path.join(directory, 'tiny.git');
  mkdirSync(tree);
  writeFileSync(path.join(tree, 'file'), 'from git\n');
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...words], {
      cwd: tree,
      stdio: 'pipe',
    });
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-qm', 'one');
  git('clone', '-q', '--bare', '.', bare);
  execFileSync('git', ['update-server-info'], { cwd: bare });
  return readdirSync(bare, { recursive: true, withFileTypes: true })
    .filter((name) => name.isFile())
    .map((name) => path.join(name.parentPath, name.name))
    .map((file) => [`/git/tiny.git/${path.relative(bare, file)}`, readFileSync(file)]);
}

function npmSite(directory: string, base: string): [string, Buffer][] {
  const folder = path.join(directory, 'package');
  mkdirSync(folder);
  const about = { name: 'tiny', version: '1.0.0', main: 'index.js' };
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(about));
  writeFileSync(path.join(folder, 'index.js'), 'module.exports = "from npm";\n');
  const archive = execFileSync('tar', ['-czf', '-', '-C', directory, 'package']);
  const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  const version = { ...about, dist: { tarball: `${base}/npm/tiny.tgz`, integrity } };
  const page = { name: 'tiny', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } };
  return [
    ['/npm/tiny', Buffer.from(JSON.stringify(page))],
    ['/npm/tiny.tgz', archive],
  ];
}

function pipSite(directory: string): [string, Buffer][] {
  const script = `import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('tiny.py', '')
    wheel.writestr('tiny-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n')
    wheel.writestr('tiny-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('tiny-1.0.dist-info/RECORD', '')
`;
  const name = 'tiny-1.0-py3-none-any.whl';
  const wheel = path.join(directory, name);
  execFileSync('python3', ['-c', script, wheel]);
  return [
    ['/simple/tiny/', Buffer.from(`<a href="/wheels/${name}">${name}</a>`)],
    [`/wheels/${name}`, readFileSync(wheel)],
  ];
}
