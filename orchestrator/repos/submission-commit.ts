// The one commit that a run's result becomes. Author and dates are fixed by the run, so that writing it again
// gives the same commit. Used by submission.
import type { Git } from './git.ts';

export interface Author {
  name: string;
  email: string;
}

export interface CommitInput {
  mirror: string;
  base: string;
  head: string;
  message: string;
  author: Author;
  date: Date;
}

export interface MessageInput {
  title: string;
  body: string;
  task: number;
  run: string;
  agent: string;
  model: string;
}

const WIDTH = 72;
const BODY_MAX = 4000;

/** Writes the final tree as one commit on the base; undefined when it is the base's own tree. */
export async function writeCommit(
  git: Git,
  { mirror, base, head, message, author, date }: CommitInput,
): Promise<string | undefined> {
  const [baseTree = '', tree = ''] = (
    await git.text(['rev-parse', `${base}^{tree}`, `${head}^{tree}`], { gitDir: mirror })
  ).split('\n');
  if (tree === baseTree) return undefined;
  return await git.text(['commit-tree', '-p', base, '-F', '-', tree], {
    gitDir: mirror,
    input: message,
    env: authorship(author, date),
  });
}

/** The environment that makes git write as this author at this time. */
export function authorship({ name, email }: Author, date: Date): Record<string, string> {
  const when = `@${Math.floor(date.getTime() / 1000)} +0000`;
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: when,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: when,
  };
}

/** Title, the task's text wrapped, and trailers. */
export function commitMessage({ title, body, task, run, agent, model }: MessageInput): string {
  const trailers = { Task: String(task), Run: run, Agent: agent, Model: model };
  const text = withoutControls(body).trim();
  const cut = text.length > BODY_MAX ? `${text.slice(0, BODY_MAX).replace(/\s+\S*$/, '')} […]` : text;
  const parts = [
    oneLine(title),
    wrap(cut),
    Object.entries(trailers)
      .filter(([, value]) => value !== '')
      .map(([key, value]) => `Autocode-${key}: ${oneLine(value)}`)
      .join('\n'),
  ];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

/** Breaks long lines at spaces; indented lines, as code, stay as they are. */
export function wrap(text: string, width = WIDTH): string {
  return text
    .split('\n')
    .flatMap((line) =>
      line.length <= width || /^(\t| {4})/.test(line) ? [line.trimEnd()] : wrapLine(line, width),
    )
    .join('\n');
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of line.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function oneLine(text: string): string {
  return withoutControls(text).replace(/\s+/g, ' ').trim();
}

function withoutControls(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(/[\0-\x08\x0b-\x1f\x7f]/g, '');
}
