// Claim ids, on disk before they are used: a worker that crashes between the orchestrator's answer and the start of the run
// asks again with the same id and is given the same run. The orchestrator knows an id as one of a worker, so each file holds
// the worker's name. Used by local-runners.ts.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { syncDirectory, writeDurably } from './durable-file.ts';

/** A worker that was away for so long is not coming back for its run, whose lease has run out. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** The id for a worker to poll with: one that was not answered yet, else a new one. What crashes left is removed. */
export async function openClaim(stateDir: string, worker: string): Promise<string> {
  const directory = await claimsDirectory(stateDir);
  let left: string | undefined;
  for (const name of await readdir(directory)) {
    const file = path.join(directory, name);
    if (isOurs(name, await readFile(file, 'utf8').catch(() => null), worker)) left ??= name;
    else if (await isLeftOver(name, file)) await rm(file, { force: true });
  }
  if (left !== undefined) return left;
  const id = randomUUID();
  await writeDurably(path.join(directory, id), worker);
  return id;
}

/** Forgets an id whose run is started, or that will never get one. */
export async function closeClaim(stateDir: string, id: string): Promise<void> {
  const directory = await claimsDirectory(stateDir);
  await rm(path.join(directory, id), { force: true });
  await syncDirectory(directory);
}

/** Forgets all of them: they belong to another installation. */
export async function forgetClaims(stateDir: string): Promise<void> {
  await rm(path.join(stateDir, 'claims'), { recursive: true, force: true });
}

// Older versions wrote no name: there was one worker.
function isOurs(name: string, content: string | null, worker: string): boolean {
  return z.uuid().safeParse(name).success && (content === worker || content === '');
}

/** Whether it is half a file of a process that ended, or a claim that nobody will ask for again. */
async function isLeftOver(name: string, file: string): Promise<boolean> {
  if (name.endsWith('.new')) return !name.endsWith(`.${process.pid}.new`);
  const age = await stat(file).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  return age > KEPT_MS;
}

async function claimsDirectory(stateDir: string): Promise<string> {
  const directory = path.join(stateDir, 'claims');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return directory;
}
