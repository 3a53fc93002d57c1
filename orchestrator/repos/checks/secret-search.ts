// Searches texts for secrets that were not there before. Runs as a worker thread of secrets.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { findSecrets } from './find-secrets.ts';

export interface SearchRequest {
  texts: { path: string; before: string; after: string }[];
}

export interface FoundSecret {
  path: string;
  line: number;
  /** As `github: GITHUB_TOKEN`. */
  kind: string;
}

// What the file had before is not of this change, wherever in it that moved.
async function newSecrets({ path, before, after }: SearchRequest['texts'][number]): Promise<FoundSecret[]> {
  const found = await findSecrets(path, after);
  return found
    .filter(({ start, end }) => !before.includes(after.slice(start, end)))
    .map(({ line, kind }) => ({ path, line, kind }));
}

const found: FoundSecret[] = [];
for (const text of (workerData as SearchRequest).texts) found.push(...(await newSecrets(text)));
parentPort?.postMessage(found);
