// What a pull request says and whom it asks, by the repository's own files at the base: its template, its CODEOWNERS.
// Used by submission.
import type { Check, CheckResult } from '../../../protocol/run.ts';
import type { Git } from '../git.ts';
import { CODE_OWNERS_PATHS, ownersOf } from './code-owners.ts';
import type { CommitStatus } from './forge.ts';

/** Where our text goes in a template; without it, below. */
const MARKER = '<!-- autocode -->';
// The first that is there, however it is spelt.
const TEMPLATES = [
  '.gitea/pull_request_template.md',
  '.github/pull_request_template.md',
  '.gitlab/merge_request_templates/default.md',
  'pull_request_template.md',
  'docs/pull_request_template.md',
];
const FILE_MAX_BYTES = 64 << 10;

const TITLE_MAX = 250;

/** A commit in the mirror. */
export interface Place {
  git: Git;
  mirror: string;
  commit: string;
}

/** The title of a pull request. */
export function requestTitle(title: string): string {
  return title.replace(/\s+/g, ' ').trim().slice(0, TITLE_MAX);
}

/** The body of a pull request: the repository's template with our text in it, or our text alone. */
export async function withTemplate(base: Place, body: string): Promise<string> {
  const path = await findTemplate(base);
  const template = path === undefined ? undefined : (await readFile(base, path))?.trimEnd();
  if (template === undefined || template === '') return body;
  if (template.includes(MARKER)) return `${template.replace(MARKER, () => body.trimEnd())}\n`;
  return `${template}\n\n${body}`;
}

async function findTemplate({ git, mirror, commit }: Place): Promise<string | undefined> {
  const folders = TEMPLATES.map((path) => path.slice(0, path.lastIndexOf('/') + 1)).filter(Boolean);
  const listing = async (...paths: string[]) =>
    (await git.text(['ls-tree', '-z', '--name-only', commit, '--', ...paths], { gitDir: mirror })).split(
      '\0',
    );
  const paths = [...(await listing()), ...(await listing(...folders))];
  return TEMPLATES.map((template) => paths.find((path) => path.toLowerCase() === template)).find(
    (path) => path !== undefined,
  );
}

/** Those who own what changed from the base to the head, by the base's CODEOWNERS. */
export async function codeOwners(base: Place, head: string): Promise<string[]> {
  for (const path of CODE_OWNERS_PATHS) {
    const text = await readFile(base, path);
    if (text !== undefined) return ownersOf(text, await changedPaths(base, head));
  }
  return [];
}

async function changedPaths({ git, mirror, commit }: Place, head: string): Promise<string[]> {
  const flags = ['-r', '-z', '--name-only', '--no-renames'];
  const { stdout } = await git.run(['diff-tree', ...flags, commit, head], { gitDir: mirror });
  return stdout.toString().split('\0').filter(Boolean);
}

async function readFile({ git, mirror, commit }: Place, path: string): Promise<string | undefined> {
  const { exitCode, stdout } = await git.run(['cat-file', 'blob', `${commit}:${path}`], {
    gitDir: mirror,
    maxBytes: FILE_MAX_BYTES,
    accept: [128],
  });
  return exitCode === 0 ? stdout.toString() : undefined;
}

/** A commit status for each check that was made on the result. */
export function statusesOf(checks: Check[]): CommitStatus[] {
  return checks.flatMap(({ name, base, head }) => {
    if (head === null || head.status === 'not-run') return [];
    const before = base === null || base.status === 'not-run' ? '' : `; before: ${outcome(base)}`;
    const took = `${(head.durationMs / 1000).toFixed(1)} s`;
    const description = `${outcome(head)} in ${took}${before}`;
    return [{ context: `autocode/${name}`, passed: head.status === 'passed', description }];
  });
}

function outcome({ status, exitCode }: CheckResult): string {
  return status === 'failed' && exitCode !== null
    ? `failed with exit code ${exitCode}`
    : status.replace('-', ' ');
}
