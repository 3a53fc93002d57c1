// A ready workspace from a warm cache beside a clone over HTTP, of one repository with 50,000 files and 1 GB.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { treeOwner } from '../worker-agent/sandbox/identity.ts';
import { fakeOrchestrator } from '../worker-agent/testing/fake-orchestrator.ts';
import { fetchIntoCache } from '../worker-agent/workspace/cache.ts';
import { exportTree } from '../worker-agent/workspace/export.ts';
import { overlayLaunch } from '../worker-agent/workspace/overlay.ts';
import { remoteOf } from '../worker-agent/workspace/remote.ts';
import {
  changedLayer,
  makeWorkTree,
  removeWorkTree,
  startIndex,
} from '../worker-agent/workspace/work-tree.ts';
import { report } from './report.ts';

const DIRECTORIES = 100;
const FILES = 50_000;
const FILE_BYTES = 20_000;
const RUNS = 5;
const BRANCH = 'refs/heads/main';

const context = { path: process.env.PATH ?? '', signal: AbortSignal.timeout(550_000) };
const [inside] = process.argv.slice(2);
if (inside === undefined) await inNamespace();
else await measure(inside);

/** Runs this file again where it may mount, as the worker starts its runners. */
async function inNamespace(): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), 'autocode-bench-workspace-'));
  try {
    const { launch, refused } = await overlayLaunch(context, join(place, 'state'));
    if (refused !== null) throw new Error(`no overlay can be mounted here: ${refused}`);
    const [program, ...args] = [...launch, process.execPath, import.meta.filename, place];
    const child = spawn(program, args, { stdio: 'inherit' });
    process.exitCode = await new Promise<number>((resolve) => {
      child.once('exit', (code) => resolve(code ?? 1));
    });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function measure(place: string): Promise<void> {
  const fake = await fakeOrchestrator(place, {});
  try {
    const commit = await makeCommit(fake.repository);
    const { order } = fake.add({});
    const remote = remoteOf(fake.url, order, '/git/3.git');
    const ref = `refs/runs/${order.run}`;
    execFileSync('git', ['-C', fake.repository, 'update-ref', ref, commit]);

    const header = remote.config['http.extraHeader'] ?? '';
    const clone = await timed(async () => {
      const args = [
        '-c',
        `http.extraHeader=${header}`,
        'clone',
        '--quiet',
        '--branch',
        'main',
        remote.url,
        join(place, 'clone'),
      ];
      await ended(spawn('git', args, { stdio: 'inherit' }), 'git clone');
    });
    rmSync(join(place, 'clone'), { recursive: true });

    const cacheDir = join(place, 'state', 'cache');
    const ready = async (run: string) => {
      const runDirectory = join(place, 'state', 'runs', run);
      const root = join(runDirectory, 'work');
      mkdirSync(runDirectory, { recursive: true });
      const cache = await fetchIntoCache(context, remote, { cacheDir, repository: 3, ref });
      const objects = [join(cache, 'objects')];
      const about = {
        owner: treeOwner,
        handOver: true,
        repository: 3,
        runDirectory,
        branch: `autocode/${run}`,
      };
      await makeWorkTree(context, {
        ...about,
        root,
        tree: join(root, 'tree'),
        cacheDir,
        objects,
        baseCommit: commit,
        commit,
        overlay: true,
      });
      return { runDirectory, root, cache, tree: join(root, 'tree') };
    };
    const cold = await timed(async () => await ready('1-1'));
    const warm: number[] = [];
    const [statuses, exports]: [number[], number[]] = [[], []];
    for (let run = 2; run < 2 + RUNS; run++) {
      let made: Awaited<ReturnType<typeof ready>> | undefined;
      warm.push(await timed(async () => void (made = await ready(`${run}-1`))));
      const { runDirectory, root, cache, tree } = made!;
      const status = ['-c', 'safe.directory=*', '-C', tree, 'status', '--porcelain'];
      statuses.push(await timed(async () => void execFileSync('git', status)));
      appendFileSync(join(tree, 'd0', 'f0.txt'), 'one more line\n');
      const exporting = {
        gitDir: join(runDirectory, 'export.git'),
        tree,
        cache,
        baseCommit: commit,
        startCommit: commit,
      };
      const layers = { index: startIndex(root), changed: changedLayer(root) };
      exports.push(
        await timed(
          async () => void (await exportTree(context, { ...exporting, ...layers, message: 'bench' })),
        ),
      );
      await removeWorkTree(context, root);
    }
    await removeWorkTree(context, join(place, 'state', 'runs', '1-1', 'work'));
    console.error(
      `clone over HTTP ${clone.toFixed(1)} s; ready workspace: cold cache ${cold.toFixed(1)} s, ` +
        `warm ${warm.map((each) => each.toFixed(3)).join(', ')} s; first git status ${median(statuses).toFixed(2)} s`,
    );
    report('workspace', [
      {
        name: 'clone over HTTP / ready workspace, warm',
        value: clone / median(warm),
        unit: 'times',
        atLeast: 10,
      },
      { name: 'export of a one-line change, median', value: median(exports), unit: 's', atMost: 3 },
    ]);
  } finally {
    await fake.close();
  }
}

/** Puts a commit of files that do not compress, the same each time, into a repository as one pack. */
async function makeCommit(repository: string): Promise<string> {
  const settings = ['core.compression=0', 'pack.compression=0'].flatMap((each) => ['-c', each]);
  const git = spawn(
    'git',
    ['-C', repository, ...settings, 'fast-import', '--quiet', '--depth=0', '--force'],
    {
      stdio: ['pipe', 'inherit', 'inherit'],
    },
  );
  const done = ended(git, 'git fast-import');
  await pipeline(Readable.from(commands()), git.stdin);
  await done;
  return execFileSync('git', ['-C', repository, 'rev-parse', BRANCH]).toString().trim();
}

function* commands(): Generator<string> {
  const random = createCipheriv('aes-256-ctr', Buffer.alloc(32, 1), Buffer.alloc(16));
  const zeros = Buffer.alloc((FILE_BYTES / 4) * 3);
  yield `commit ${BRANCH}\ncommitter bench <bench@localhost> 1700000000 +0000\ndata 4\nbase\n`;
  for (let file = 0; file < FILES; file++) {
    const text = random
      .update(zeros)
      .toString('base64')
      .replaceAll(/.{100}/g, '$&\n');
    yield `M 100644 inline d${file % DIRECTORIES}/f${file}.txt\ndata ${text.length}\n${text}\n`;
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

async function ended(child: ChildProcess, name: string): Promise<void> {
  const code = await new Promise((resolve) => {
    child.once('exit', resolve);
  });
  if (code !== 0) throw new Error(`${name} exited with ${String(code)}`);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
