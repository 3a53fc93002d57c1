// Rule `secrets`: keys and passwords that were not there before, found by secretlint, and values of secrets that are kept. The search runs on a thread of its own
// with a time limit: a file made to keep a regular expression busy does not hold up the daemon. No secret is ever shown.
import { Worker } from 'node:worker_threads';
import { present, shownBytes } from './rule.ts';
import type { Contents, Rule, RuleFinding } from './rule.ts';
import type { FoundSecret, SearchRequest } from './secret-search.ts';

export const LARGEST_SEARCHED = 8 << 20;
const SEARCH_TIMEOUT_MS = 120_000;

export const secrets: Rule = {
  name: 'secrets',
  async find(diff, { live }) {
    const files = present(diff).filter(({ mode }) => mode.after !== '160000');
    const findings: RuleFinding[] = files
      .filter(({ bytes }) => bytes > LARGEST_SEARCHED)
      .map(({ path, bytes }) => ({
        path,
        reason: `it has ${shownBytes(bytes)}; over ${shownBytes(LARGEST_SEARCHED)} it cannot be searched for secrets`,
        remedy: 'leave it out, or make it smaller',
      }));
    for await (const batch of diff.contents(
      files.filter(({ bytes }) => bytes <= LARGEST_SEARCHED),
      { fileBytes: LARGEST_SEARCHED },
    )) {
      findings.push(...(await search(batch, SEARCH_TIMEOUT_MS, live)));
    }
    return findings;
  },
};

/** What was found in a batch; when the time is over, that it was not searched to the end. */
export async function search(
  batch: Contents[],
  timeoutMs = SEARCH_TIMEOUT_MS,
  live: ReadonlyMap<string, string> = new Map(),
): Promise<RuleFinding[]> {
  const texts = batch.map(({ path, before, after }) => ({
    path,
    before: before?.toString() ?? '',
    after: after?.toString() ?? '',
  }));
  const request: SearchRequest = { texts: texts.filter(({ after }) => after !== ''), live };
  if (request.texts.length === 0) return [];
  const worker = new Worker(new URL('secret-search.ts', import.meta.url), {
    workerData: request,
    env: {},
    stdout: true,
    stderr: true,
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const found = await new Promise<FoundSecret[] | undefined>((resolve, reject) => {
      timer = setTimeout(() => resolve(undefined), timeoutMs);
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`the search for secrets ended with code ${code}`)));
    });
    return found?.map(shown) ?? [unsearched(request, timeoutMs)];
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

function shown({ path, line, kind }: FoundSecret): RuleFinding {
  return {
    path,
    reason: `line ${line} ${kind.startsWith('secret: ') ? 'holds a kept' : 'looks like a'} secret (${kind})`,
    remedy:
      'remove it, and read it from the environment or a secret store; if it was real, replace it where it is used',
  };
}

function unsearched({ texts }: SearchRequest, timeoutMs: number): RuleFinding {
  return {
    path: texts.length === 1 ? texts[0]!.path : null,
    reason: `${texts.length} files, ${texts[0]!.path} the first, could not be searched for secrets in ${timeoutMs / 1000} s`,
    remedy: 'leave out what is generated, or make it smaller',
  };
}
