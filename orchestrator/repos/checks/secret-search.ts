// Searches texts for secrets that were not there before. Runs as a worker thread of secrets.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { textFinder } from '../../redaction/find-values.ts';
import { findSecrets } from './find-secrets.ts';

export interface SearchRequest {
  texts: { path: string; before: string; after: string }[];
  live: ReadonlyMap<string, string>;
}

export interface FoundSecret {
  path: string;
  line: number;
  /** As `github: GITHUB_TOKEN`. */
  kind: string;
}

// What the file had before is not of this change, wherever in it that moved.
async function newSecrets({ path, before, after }: SearchRequest['texts'][number]): Promise<FoundSecret[]> {
  const kept = findKept(after).map((place) => ({
    ...place,
    line: after.slice(0, place.start).split('\n').length,
  }));
  const found = [...(await findSecrets(path, after)), ...kept];
  return found
    .filter(({ start, end }) => !before.includes(after.slice(start, end)))
    .map(({ line, kind }) => ({ path, line, kind }));
}

const { texts, live } = workerData as SearchRequest;
const findKept = textFinder(live);
const found: FoundSecret[] = [];
for (const text of texts) found.push(...(await newSecrets(text)));
parentPort?.postMessage(found);
