// Searches texts for secrets with secretlint's recommended rules, but for the one that lets a comment in the file switch the
// others off. Runs as a worker thread of secrets.ts, which alone loads it.
import { parentPort, workerData } from 'node:worker_threads';
import { lintSource } from '@secretlint/core';
import { rules } from '@secretlint/secretlint-rule-preset-recommend';

export interface SearchRequest {
  texts: { path: string; before: string; after: string }[];
}

export interface FoundSecret {
  path: string;
  line: number;
  /** As `github: GITHUB_TOKEN`. */
  kind: string;
}

const FILTER = '@secretlint/secretlint-rule-filter-comments';
const config = {
  rules: rules.filter((rule) => rule.meta.id !== FILTER).map((rule) => ({ id: rule.meta.id, rule })),
};

interface Hit {
  kind: string;
  line: number;
  text: string;
}

async function hits(path: string, content: string): Promise<Hit[]> {
  const source = {
    filePath: path,
    content,
    ext: /\.[^./]*$/.exec(path)?.[0] ?? '',
    contentType: 'text' as const,
  };
  const { messages } = await lintSource({
    source,
    options: { config, noPhysicFilePath: true, maskSecrets: true },
  });
  return messages.map(({ ruleId, messageId, range, loc }) => ({
    kind: `${ruleId.replace('@secretlint/secretlint-rule-', '')}: ${messageId}`,
    line: loc.start.line,
    text: content.slice(...range),
  }));
}

// What the file had before is not of this change, wherever in it that moved.
async function newSecrets({ path, before, after }: SearchRequest['texts'][number]): Promise<FoundSecret[]> {
  const found = await hits(path, after);
  return found.filter(({ text }) => !before.includes(text)).map(({ line, kind }) => ({ path, line, kind }));
}

const found: FoundSecret[] = [];
for (const text of (workerData as SearchRequest).texts) found.push(...(await newSecrets(text)));
parentPort?.postMessage(found);
