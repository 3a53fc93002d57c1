// Bare repositories behind git's own smart HTTP (`git http-backend` as CGI), for servers that stand in for a forge.
// They keep pull requests in memory; branches, pushes and merges are git's.
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PERSON = 'Ann <ann@example.test> 1700000000 +0000';

export type MergeMethod = 'merge' | 'squash' | 'rebase';

/** The repositories of one server, named by a path of its own choice, as a number. */
export interface GitSite {
  /** A new one with a commit of these files on `main`. */
  create(name: string, files: Record<string, string>): Promise<void>;
  move(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** A person's commit to a branch, which is made from `main` where it is not there. */
  commit(name: string, branch: string, files: Record<string, string>): Promise<string>;
  /** The commit of a branch or name; undefined where there is none. */
  head(name: string, ref: string): Promise<string | undefined>;
  branches(name: string): Promise<string[]>;
  /** How many commits lead to a branch, and how many parents its last one has. */
  shape(name: string, branch: string): Promise<{ commits: number; parents: number }>;
  /** Whether it merges without a conflict. */
  merges(name: string, base: string, head: string): Promise<boolean>;
  /** Whether all of one branch is in another. */
  contains(name: string, branch: string, part: string): Promise<boolean>;
  /** Merges a branch into its base; the commit by which it is there. */
  merge(name: string, base: string, head: string, method: MergeMethod, message: string): Promise<string>;
  /** Rebases a branch onto its base. */
  rebase(name: string, base: string, head: string): Promise<string>;
  setHead(name: string, branch: string): Promise<void>;
  /** From now on a push to a branch that matches, as `main` or `autocode/*`, is refused with these words. */
  protect(name: string, pattern: string, words: string): Promise<void>;
  /** Answers git's request for what follows the repository in the address, as `/info/refs`. */
  serve(name: string, rest: string, request: IncomingMessage, response: ServerResponse): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes the site, with no repository yet. */
export async function gitSite(): Promise<GitSite> {
  const root = await mkdtemp(join(tmpdir(), 'autocode-git-site-'));
  const env = {
    PATH: process.env.PATH,
    HOME: root,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ann',
    GIT_AUTHOR_EMAIL: 'ann@example.test',
    GIT_COMMITTER_NAME: 'Ann',
    GIT_COMMITTER_EMAIL: 'ann@example.test',
  };
  const dir = (name: string) => join(root, `${name}.git`);
  const git = async (name: string, ...args: string[]) =>
    (await run('git', args, { cwd: dir(name), env })).stdout.trim();
  const head = async (name: string, ref: string) =>
    await git(name, 'rev-parse', '--verify', '--quiet', `${ref}^{commit}`).catch(() => undefined);

  async function commit(name: string, branch: string, files: Record<string, string>): Promise<string> {
    const from = (await head(name, `refs/heads/${branch}`)) ?? (await head(name, 'refs/heads/main'));
    const blobs = Object.entries(files).map(([path, text]) => {
      return `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`;
    });
    const message = Object.keys(files).join(', ') || 'first';
    const stream =
      `commit refs/heads/${branch}\ncommitter ${PERSON}\ndata ${Buffer.byteLength(message)}\n${message}\n` +
      `${from === undefined ? '' : `from ${from}\n`}${blobs.join('')}`;
    const child = run('git', ['fast-import', '--quiet'], { cwd: dir(name), env });
    child.child.stdin!.end(stream);
    await child;
    return (await head(name, `refs/heads/${branch}`))!;
  }

  async function mergedTree(name: string, base: string, branch: string): Promise<string> {
    const tree = await git(name, 'merge-tree', '--write-tree', base, branch);
    return tree.split('\n')[0]!;
  }

  async function rebase(name: string, base: string, branch: string): Promise<string> {
    const tree = join(root, `${name}.tree`);
    await git(name, 'worktree', 'add', '--detach', '--quiet', tree, branch);
    try {
      await run('git', ['rebase', '--quiet', base], { cwd: tree, env });
      const { stdout } = await run('git', ['rev-parse', 'HEAD'], { cwd: tree, env });
      return stdout.trim();
    } finally {
      await git(name, 'worktree', 'remove', '--force', tree);
    }
  }

  return {
    commit,
    head,
    async create(name, files) {
      await mkdir(dir(name), { recursive: true });
      await git(name, 'init', '--quiet', '--bare', '--initial-branch=main');
      await git(name, 'config', 'http.receivepack', 'true');
      await commit(name, 'main', { 'README.md': 'hello\n', ...files });
    },
    async move(from, to) {
      await mkdir(dirname(dir(to)), { recursive: true });
      await rename(dir(from), dir(to));
    },
    remove: async (name) => await rm(dir(name), { recursive: true }),
    branches: async (name) =>
      (await git(name, 'for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads')).split('\n'),
    async shape(name, branch) {
      const line = await git(name, 'rev-list', '--parents', '--max-count=1', branch);
      const count = await git(name, 'rev-list', '--count', branch);
      return { commits: Number(count), parents: line.split(' ').length - 1 };
    },
    merges: async (name, base, branch) => await succeeds(mergedTree(name, base, branch)),
    contains: async (name, branch, part) =>
      await succeeds(git(name, 'merge-base', '--is-ancestor', part, branch)),
    async merge(name, base, branch, method, message) {
      const parents = method === 'merge' ? ['-p', base, '-p', branch] : ['-p', base];
      const made =
        method === 'rebase'
          ? await rebase(name, base, branch)
          : await git(name, 'commit-tree', ...parents, '-m', message, await mergedTree(name, base, branch));
      await git(name, 'update-ref', `refs/heads/${base}`, made);
      return made;
    },
    async rebase(name, base, branch) {
      const made = await rebase(name, base, branch);
      await git(name, 'update-ref', `refs/heads/${branch}`, made);
      return made;
    },
    setHead: async (name, branch) => void (await git(name, 'symbolic-ref', 'HEAD', `refs/heads/${branch}`)),
    async protect(name, pattern, words) {
      const hook = join(dir(name), 'hooks/pre-receive');
      const script = `#!/bin/sh\nwhile read -r _ _ ref; do\n  case "$ref" in refs/heads/${pattern}) echo "${words}"; exit 1;; esac\ndone\n`;
      await writeFile(hook, script);
      await chmod(hook, 0o755);
    },
    serve(name, rest, request, response) {
      const url = new URL(rest, 'http://git');
      const backend = spawn('git', ['http-backend'], {
        env: {
          ...env,
          GIT_PROJECT_ROOT: root,
          GIT_HTTP_EXPORT_ALL: '1',
          REMOTE_USER: 'bot',
          PATH_INFO: `/${name}.git${url.pathname}`,
          QUERY_STRING: url.search.slice(1),
          REQUEST_METHOD: request.method,
          CONTENT_TYPE: request.headers['content-type'] ?? '',
          HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
          GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        },
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      backend.stdin.on('error', () => {}); // it may end before it has read all
      request.pipe(backend.stdin);
      request.once('close', () => {
        if (!request.complete) backend.kill();
      });
      answerAsCgi(backend.stdout, response);
    },
    [Symbol.asyncDispose]: async () => await rm(root, { recursive: true, force: true, maxRetries: 5 }),
  };
}

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  return await work.then(
    () => true,
    () => false,
  );
}

// What a CGI program writes: headers, an empty line, the body.
function answerAsCgi(output: NodeJS.ReadableStream, response: ServerResponse): void {
  let begun = Buffer.alloc(0);
  const onData = (bytes: Buffer) => {
    begun = Buffer.concat([begun, bytes]);
    const end = begun.indexOf('\r\n\r\n');
    if (end === -1) return;
    output.off('data', onData);
    let status = 200;
    for (const line of begun.subarray(0, end).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(/: ?(.*)/);
      if (name === 'Status') status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.writeHead(status);
    response.write(begun.subarray(end + 4));
    output.pipe(response);
  };
  output.on('data', onData);
  output.once('end', () => response.end());
}
