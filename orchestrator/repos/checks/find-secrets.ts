// Where a text holds keys and passwords: secretlint's recommended rules, but for the one that lets a comment in the text
// switch the others off. Only for threads that can be ended: some of its expressions can be kept busy for ever.
import { lintSource } from '@secretlint/core';
import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import { placeOf } from '../../redaction/shapes.ts';

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
    ...placeOf(content, { start: range[0], end: range[1], data }),
  }));
}
