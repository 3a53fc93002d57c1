// Where a text holds keys and passwords: secretlint's recommended rules, but for the one that lets a comment in the text
// switch the others off. Only for threads that can be ended: some of its expressions can be kept busy for ever.
import { lintSource } from '@secretlint/core';
import { rules } from '@secretlint/secretlint-rule-preset-recommend';

export interface SecretFound {
  /** As `github: GITHUB_TOKEN`. */
  kind: string;
  line: number;
  /** Where it begins, and ends, in the text. */
  start: number;
  end: number;
}

const FILTER = '@secretlint/secretlint-rule-filter-comments';
const config = {
  rules: rules.filter((rule) => rule.meta.id !== FILTER).map((rule) => ({ id: rule.meta.id, rule })),
};

/** The secrets in a text that lies, or would lie, at this path. */
export async function findSecrets(path: string, content: string): Promise<SecretFound[]> {
  const source = {
    filePath: path,
    content,
    ext: /\.[^./]*$/.exec(path)?.[0] ?? '',
    contentType: 'text' as const,
  };
  const { messages } = await lintSource({
    source,
    options: { config, noPhysicFilePath: true },
  });
  return messages.map(({ ruleId, messageId, range, loc, data }) => ({
    kind: `${ruleId.replace('@secretlint/secretlint-rule-', '')}: ${messageId}`,
    line: loc.start.line,
    ...placeOf(content, range, data),
  }));
}

// Some rules give a range that begins before the secret and is as long as it; what it is they say beside that.
function placeOf(content: string, range: readonly [number, number], data: object | undefined) {
  const [start, end] = range;
  const places = Object.values(data ?? {})
    .filter((value) => typeof value === 'string')
    .map((value) => ({ at: content.indexOf(value, start), length: value.length }))
    .filter(({ at, length }) => length > 0 && at >= start && at < end)
    .toSorted((a, b) => b.length - a.length);
  const [place] = places;
  return place === undefined ? { start, end } : { start: place.at, end: place.at + place.length };
}
