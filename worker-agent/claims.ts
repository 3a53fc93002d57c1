// Claim ids, on disk before they are used: a worker that crashes between the orchestrator's answer and the start of the run
// asks again with the same id and is given the same run. Used by the claimer.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { syncDirectory, writeDurably } from './durable-file.ts';

/** The id to poll with: one that was not answered yet, else a new one. What a crash left half written is removed. */
export async function openClaim(stateDir: string): Promise<string> {
  const directory = await claimsDirectory(stateDir);
  const names = await readdir(directory);
  const left = names.find((name) => z.uuid().safeParse(name).success);
  for (const half of names.filter((name) => name !== left))
    await rm(path.join(directory, half), { force: true });
  if (left !== undefined) return left;
  const id = randomUUID();
  await writeDurably(path.join(directory, id), '');
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

async function claimsDirectory(stateDir: string): Promise<string> {
  const directory = path.join(stateDir, 'claims');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return directory;
}
