// The caches of dependencies in a run: each of its sandboxes is given a version that counts, and what the project's own commands
// have made of it in fresh clones is the next one; an agent's sandbox only reads. Whatever is wrong with them, the run goes on
// without. Used by the pipeline.
import path from 'node:path';
import type { RunEnvironment } from '../../protocol/environment.ts';
import { isNotOurs } from '../runner/ownership.ts';
import {
  chooseVersion,
  layOut,
  putOnShelf,
  takeFromShelf,
  takeOut,
  type LaidOut,
  type Shelf,
} from '../workspace/dependencies.ts';
import { pruneCache } from '../workspace/prune.ts';
import type { Pipeline, SandboxName } from './run-record.ts';

export interface Caches extends Shelf {
  generation: number;
  /** The version that sandboxes are given: one of an earlier run, then what this run has made. */
  given: string | null;
  /** What this run has made of it, with its bytes. */
  made: { version: string; bytes: number } | null;
  /** Sandboxes whose HOME has them. */
  laidOut: Set<SandboxName>;
}

const DIGEST_SHOWN = 12;

/** The caches that a run is given; null when it has none and leaves none. */
export async function openCaches(
  pipeline: Pipeline,
  environment: RunEnvironment | undefined,
): Promise<Caches | null> {
  const { api, cacheDir, directory, git, log, order, workspace } = pipeline;
  if (workspace.dependencyBytes === 0) return null;
  const { kept, repository, generation, versions } = await api.dependencies();
  if (!kept) return null;
  const kind = [order.isolation, environment?.digest.slice(0, DIGEST_SHOWN)].filter(Boolean).join('-');
  const caches: Caches = {
    cacheDir,
    repository,
    kind,
    generation,
    given: null,
    made: null,
    laidOut: new Set(),
  };
  await unlessInTheWay(pipeline, 'The run has no caches of dependencies', async () => {
    caches.given = await chooseVersion(git, caches, versions, directory.path);
    if (caches.given === null) return;
    const text = `Package managers have what run ${path.basename(caches.given)} left in their caches.`;
    log.event({ type: 'notice', text });
  });
  return caches;
}

/** Lays the caches into the HOME of a sandbox that is about to be opened. */
export async function giveCaches(
  pipeline: Pipeline,
  caches: Caches | null,
  name: SandboxName,
): Promise<void> {
  if (caches === null) return;
  await unlessInTheWay(pipeline, 'The sandbox may have no caches of dependencies', async () => {
    await layOut(pipeline.git, { ...placeOf(pipeline, name), given: caches.given });
    caches.laidOut.add(name);
  });
}

/** Takes what verify commands have made of the caches in a fresh clone, when its sandbox is closed. */
export async function takeCaches(
  pipeline: Pipeline,
  caches: Caches | null,
  name: SandboxName,
): Promise<void> {
  if (caches?.laidOut.has(name) !== true) return;
  const { directory, git, log, workspace } = pipeline;
  await unlessInTheWay(pipeline, 'The caches of dependencies stay as they were', async () => {
    const at = path.join(directory.path, `dependencies-${name}`);
    const { given } = caches;
    const taken = await takeOut(git, { ...placeOf(pipeline, name), given }, at, workspace.dependencyBytes);
    if (taken === null) return;
    const { version, whole, bytes } = taken;
    caches.made = { version, bytes: whole ? bytes : 0 };
    caches.given = version;
    if (!whole)
      log.event({
        type: 'notice',
        text: `The caches of dependencies have outgrown ${workspace.dependencyBytes} bytes (\`workspace.dependencyBytes\` of the worker): the next run begins without.`,
      });
  });
}

/** Leaves what the run has made for later ones. It counts once the run has succeeded. */
export async function keepCaches(pipeline: Pipeline, caches: Caches | null): Promise<void> {
  if (caches === null || caches.made === null) return;
  const { api, cacheDir, git, log, order, workspace } = pipeline;
  const { generation, kind, made } = caches;
  await unlessInTheWay(
    pipeline,
    'The caches of dependencies are not kept; those from before stay',
    async () => {
      const entry = await putOnShelf(git, caches, order.run, made.version);
      try {
        await api.keepDependencies({ generation, kind, bytes: made.bytes });
      } catch (error) {
        await takeFromShelf(entry);
        throw error;
      }
      log.event({ type: 'notice', text: 'The caches of dependencies are kept when this run succeeds.' });
      await pruneCache(git, path.dirname(cacheDir), workspace.cacheBytes);
    },
  );
}

function placeOf({ directory, order, workspace }: Pipeline, name: SandboxName): Omit<LaidOut, 'given'> {
  const { root, home } = directory.sandbox(name);
  const { overlay, owner } = workspace;
  return { root, home, overlay, owner: order.isolation === 'directory' ? null : owner };
}

async function unlessInTheWay(
  { log, signal }: Pipeline,
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    signal.throwIfAborted();
    if (isNotOurs(error)) throw error;
    log.event({ type: 'notice', text: `${what}. ${(error as Error).message}` });
  }
}
