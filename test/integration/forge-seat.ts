// What the conformance suite needs of a forge under test: its kind, how to reach it, and what people do there.
// There is one for each kind of forge, in its own test file.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ChangeAtOrigin } from '../../orchestrator/repos/changes.ts';
import type { Forge, ForgeHost, ForgeKind, Proposal } from '../../orchestrator/repos/forge/forge.ts';
import { openLine } from '../support/line.ts';
import type { Line } from '../support/line.ts';

const run = promisify(execFile);

/** A pull request as the forge itself shows it. */
export interface Seen {
  number: number;
  state: 'open' | 'closed' | 'merged';
  title: string;
  body: string;
  draft: boolean;
  labels: string[];
  reviewers: string[];
  branch: string;
  comments: string[];
}

export interface Delivery {
  headers: Record<string, string>;
  body: Buffer;
}

/** A forge under test. Users `ann` and `ben` are there and may review; `ghost` is not; access tokens are of `bot`. */
export interface Seat {
  kind: ForgeKind;
  url: string;
  /** An access token, or the key of an App. */
  token: string;
  appId: string | null;
  /** The name under which it works. */
  self: string;
  /** With what a person who may do all reaches it by git. */
  person: { username: string; password: string };
  /** No page of a list is longer. */
  page: number;
  /** A closed pull request may be opened again although its branch was replaced meanwhile. */
  reopensAfterPush: boolean;
  /** Makes a repository with a README on `main`, to which `bot` may push; its path. */
  repository(name: string): Promise<string>;
  requests(path: string): Promise<Seen[]>;
  /** As `autocode/test: success`, in small letters, sorted. */
  statuses(path: string, commit: string): Promise<string[]>;
  closeRequest(path: string, number: number): Promise<void>;
  mergeRequest(path: string, number: number): Promise<void>;
  /** From now on a merge into `main` needs somebody's approval. */
  protect(path: string): Promise<void>;
  rename(path: string, name: string): Promise<string>;
  remove(path: string): Promise<void>;
  archive(path: string): Promise<void>;
  setDefaultBranch(path: string, branch: string): Promise<void>;
  /** From now on the repository may be merged to by rebase, where that is not so by itself. */
  allowRebase(path: string): Promise<void>;
  issue(path: string, title: string, comments: string[]): Promise<number>;
  /** A token of somebody who may read alone. */
  readerToken(path: string): Promise<string>;
  /** Another token of `bot`, and how it is made worthless. */
  anotherToken(): Promise<{ token: string; end(): Promise<void> }>;
  /** What its webhook sends for a pull request: headers with the signature by a secret, and the body. */
  delivery(id: string, secret: string, number: number, branch: string): Delivery;
  /** The signature is over the body too. */
  signsBody: boolean;
}

/** A repository of the forge under test, with a person's clone of it, and our side of it over a line of its own. */
export interface Bench {
  path: string;
  line: Line;
  host: ForgeHost;
  forge: Forge;
  /** Takes effect with the next request. */
  useToken(token: string): void;
  git(...args: string[]): Promise<string>;
  /** Commits to a branch, made from `main`, and pushes it with the credential that the product has; the commit. */
  push(branch: string, files: Record<string, string>): Promise<string>;
  /** The same by a person, to the end of the branch. */
  pushByPerson(branch: string, files: Record<string, string>): Promise<string>;
  /** The forge's change of a pull request, as the product would have it. */
  change(number: number, branch: string): ChangeAtOrigin;
  requests(): Promise<Seen[]>;
  /** The branch as it is at the forge: how many commits lead to it, how many parents the last has, and a file's text. */
  shape(branch: string): Promise<{ commits: number; parents: number }>;
  /** Requests since the last call that changed something. */
  writes(): string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** One thing that every forge has to do. */
export type Case = [title: string, run: (bench: Bench, seat: Seat) => Promise<void>];

/** What is proposed unless a test wants it otherwise. */
export function proposal(branch: string, commit: string, more: Partial<Proposal> = {}): Proposal {
  return {
    branch,
    baseBranch: 'main',
    commit,
    title: 'Fix the sum',
    body: 'It was wrong.\n',
    draft: false,
    reviewers: [],
    labels: [],
    statuses: [],
    ...more,
  };
}

/** Makes a repository and all that a test does with it. */
export async function openBench(seat: Seat, name: string): Promise<Bench> {
  const path = await seat.repository(name);
  const line = await openLine(seat.url);
  let token = seat.token;
  const server = {
    name: 'under-test',
    url: line.url,
    credential: async () => ({ token, appId: seat.appId }),
  };
  const host = seat.kind.hostOf(server);
  const dir = await mkdtemp(join(tmpdir(), 'autocode-bench-'));
  const env = {
    PATH: process.env.PATH,
    HOME: dir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ann',
    GIT_AUTHOR_EMAIL: 'ann@example.test',
    GIT_COMMITTER_NAME: 'Ann',
    GIT_COMMITTER_EMAIL: 'ann@example.test',
  };
  const git = async (...args: string[]) => (await run('git', args, { cwd: dir, env })).stdout.trim();
  const address = ({ username, password }: { username: string; password: string }, of = path) =>
    `${seat.url.replace('://', `://${encodeURIComponent(username)}:${encodeURIComponent(password)}@`)}/${of}.git`;
  await git('clone', '--quiet', address(seat.person), '.');
  const commit = async (from: string, files: Record<string, string>) => {
    await git('checkout', '--quiet', '--detach', from);
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(join(dir, file)), { recursive: true });
      await writeFile(join(dir, file), text);
    }
    await git('add', '--all');
    await git('commit', '--quiet', '--message', Object.keys(files).join(', '));
    return await git('rev-parse', 'HEAD');
  };
  let told = 0;
  return {
    path,
    line,
    host,
    forge: host.repository(path),
    useToken: (value) => void (token = value),
    git,
    async push(branch, files) {
      const made = await commit('origin/main', files);
      const credential = await host.gitCredential(path);
      await git('push', '--quiet', '--force', address(credential), `HEAD:refs/heads/${branch}`);
      return made;
    },
    async pushByPerson(branch, files) {
      await git('fetch', '--quiet', 'origin');
      const made = await commit(`origin/${branch}`, files);
      await git('push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
      return made;
    },
    change: (number, branch) =>
      ({
        id: 1,
        number,
        branch,
        baseBranch: 'main',
        forge: 'under-test',
        url: `${line.url}/${path}/${number}`,
      }) as ChangeAtOrigin,
    requests: async () => (await seat.requests(path)).toSorted((one, other) => one.number - other.number),
    async shape(branch) {
      await git('fetch', '--quiet', 'origin');
      const [, ...parents] = (await git('rev-list', '--parents', '--max-count=1', `origin/${branch}`)).split(
        ' ',
      );
      const count = await git('rev-list', '--count', `origin/${branch}`);
      return { commits: Number(count), parents: parents.length };
    },
    writes() {
      const some = line.seen.slice(told).filter((request) => !request.startsWith('GET '));
      told = line.seen.length;
      return some;
    },
    async [Symbol.asyncDispose]() {
      line.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
