// The repositories of a run in its work tree: fetched, checked out, and pushed in the end. One repository is the work tree
// itself; of several each has a folder in it. Used by the pipeline.
import { chown, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { WorkOrder } from '../../protocol/worker.ts';
import type { Lender } from '../sandbox/confined.ts';
import type { EnvironmentRoot } from '../sandbox/environment-root.ts';
import { fetchIntoCache } from '../workspace/cache.ts';
import { exportTree, pushCommit } from '../workspace/export.ts';
import { pruneCache } from '../workspace/prune.ts';
import { changedLayer, makeWorkTree, startIndex, type WorkTreeKind } from '../workspace/work-tree.ts';
import { takeOwnSettings } from './own-settings.ts';
import { openCaches, type Caches } from './dependencies.ts';
import { environmentOf } from './environment.ts';
import type { Pipeline, SandboxName } from './run-record.ts';

/** A repository of the run: where the work starts there, and the cache that has its objects. */
export type Place = WorkOrder['repositories'][number] & {
  baseCommit: string;
  startCommit: string;
  cache: string;
};

/** Where the work starts, and the ref that its result is pushed to. */
export interface Base {
  ref: string;
  places: Place[];
  /** Null: the programs of this machine. */
  environment: EnvironmentRoot | null;
  /** Of dependencies; null: the run has none and leaves none. */
  caches: Caches | null;
}

/** Repositories that are fetched or checked out at a time. */
const AT_ONCE = 4;

/** Asks for the commits to start from and brings them into the cache. */
export async function fetchBase(pipeline: Pipeline): Promise<Base> {
  const { api, git, remote, cacheDir, order } = pipeline;
  await api.progress({ state: 'preparing' });
  const { ref, repositories, file, environment } = await api.base();
  const places = await someAtATime(order.repositories, async (repository) => {
    const start = repositories.find(({ id }) => id === repository.id);
    if (start === undefined)
      throw new Error(`the orchestrator tells no base of repository ${repository.name}`);
    const cache = await fetchIntoCache(git, remote(repository.gitPath), {
      cacheDir,
      repository: start.id,
      ref,
    });
    return { ...repository, ...start, cache };
  });
  takeOwnSettings(pipeline, file);
  const root = await environmentOf(pipeline, environment);
  return { ref, places, environment: root, caches: await openCaches(pipeline, environment) };
}

/** Makes the work tree of a sandbox, each repository at the commit that is asked for. */
export async function makeTrees(
  pipeline: Pipeline,
  base: Base,
  name: SandboxName,
  commitOf: (place: Place) => string,
): Promise<void> {
  const { git, directory, order, log, cacheDir } = pipeline;
  const { cacheBytes, overlay, owner } = pipeline.workspace;
  const handOver = order.isolation !== 'directory';
  const { tree } = directory.sandbox(name);
  await mkdir(tree, { recursive: true, mode: 0o700 });
  const kinds = await someAtATime(
    base.places,
    async (place) =>
      await makeWorkTree(git, {
        overlay,
        owner,
        ...layout(pipeline, name, place),
        handOver,
        cacheDir,
        runDirectory: directory.path,
        repository: place.id,
        baseCommit: place.baseCommit,
        commit: commitOf(place),
        branch: `autocode/${order.run}`,
        objects: objectsOf(pipeline, place, name),
      }),
  );
  if (base.places.length > 1 && handOver && owner !== null && !kinds.includes('checkout'))
    await chown(tree, owner, owner); // of the folder alone: all in it is the owner's already
  if (name === 'work') log.event({ type: 'notice', text: `The work tree is ${kindsInWords(kinds)}.` });
  if (kinds.includes('overlay over a checkout made now'))
    await pruneCache(git, path.dirname(cacheDir), cacheBytes);
}

function kindsInWords(kinds: WorkTreeKind[]): string {
  return kinds.length === 1 ? `an own ${kinds[0]}` : `${kinds.length} repositories: ${kinds.join(', ')}`;
}

// What is kept beside the tree of one of several repositories lies where the sandbox does not reach.
function layout(
  { directory }: Pipeline,
  name: SandboxName,
  place: Pick<Place, 'path' | 'name'>,
): { root: string; tree: string } {
  const { root, tree } = directory.sandbox(name);
  if (place.path === '.') return { root, tree };
  return { root: path.join(root, 'repositories', place.name), tree: path.join(tree, place.path) };
}

/** What a sandbox's work trees borrow their objects from. */
export function lendersOf(pipeline: Pipeline, base: Base, name: SandboxName): Lender[] {
  return base.places.flatMap((place) =>
    objectsOf(pipeline, place, name).map((objects) => ({ objects, folder: place.path })),
  );
}

function objectsOf({ directory, record }: Pipeline, { id, cache }: Place, name: SandboxName): string[] {
  const pushed = name === 'final' && record.heads.has(id);
  return [cache, ...(pushed ? [directory.exportGit(id)] : [])].map((each) => path.join(each, 'objects'));
}

/** Commits and pushes what each repository holds, verified or not, so that a next attempt can start from it. */
export async function pushAll(pipeline: Pipeline, base: Base): Promise<void> {
  const { git, directory, order, log, remote, record } = pipeline;
  for (const place of base.places) {
    const { root, tree } = layout(pipeline, 'work', place);
    const gitDir = directory.exportGit(place.id);
    const { commit, changes, notices } = await exportTree(git, {
      gitDir,
      tree,
      cache: place.cache,
      baseCommit: place.baseCommit,
      startCommit: place.startCommit,
      index: startIndex(root),
      changed: changedLayer(root),
      message: `autocode: run ${order.run}`,
    });
    const shown = (file: string) => (place.path === '.' ? file : `${place.path}/${file}`);
    for (const text of notices) log.event({ type: 'notice', text: shown(text) });
    for (const { path: file, change } of changes)
      log.event({ type: 'file_change', path: shown(file), change });
    if (commit === null) continue;
    await pushCommit(git, remote(place.gitPath), { gitDir, commit, ref: base.ref });
    record.heads.set(place.id, commit);
  }
  await noteStrays(pipeline, base);
}

// In a work tree of several repositories an agent may put files beside them.
async function noteStrays({ directory, log }: Pipeline, { places }: Base): Promise<void> {
  if (places.length === 1) return;
  const names = await readdir(directory.sandbox('work').tree);
  const strays = names.filter((name) => !places.some((place) => place.path === name));
  if (strays.length === 0) return;
  const text = `${strays.slice(0, 10).join(', ')}${strays.length > 10 ? ', …' : ''} is left out: it lies in none of the repositories.`;
  log.event({ type: 'notice', text });
}

// All are waited for, so that none is at work when the first error is told.
async function someAtATime<T, R>(all: T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < all.length; from += AT_ONCE) {
    for (const each of await Promise.allSettled(all.slice(from, from + AT_ONCE).map(work))) {
      if (each.status === 'rejected') throw each.reason;
      results.push(each.value);
    }
  }
  return results;
}
