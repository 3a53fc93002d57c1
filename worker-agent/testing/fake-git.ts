// The repositories of the stand-in for the orchestrator: made of plain files, and served over git's smart HTTP to runs.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import type { WorkOrder } from '../../protocol/worker.ts';

/** The commit of a repository's HEAD. */
export function headOf(repository: string): string {
  return execFileSync('git', ['-C', repository, 'rev-parse', 'HEAD']).toString().trim();
}

/** Makes a bare repository with one commit of these files; answers the commit. */
export function makeRepository(directory: string, repository: string, files: Record<string, string>): string {
  const tree = path.join(directory, `seed-${path.basename(repository)}`);
  mkdirSync(tree, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
    writeFileSync(path.join(tree, name), text);
  }
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: tree })
      .toString()
      .trim();
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message=base');
  git('clone', '--quiet', '--bare', tree, repository);
  return git('rev-parse', 'HEAD');
}

/** Serves the repositories below `root` to whoever has the token of a run. */
export function serveGit(
  request: IncomingMessage,
  response: ServerResponse,
  root: string,
  runs: Map<string, { order: WorkOrder }>,
): void {
  const credentials = Buffer.from(
    (request.headers.authorization ?? '').replace('Basic ', ''),
    'base64',
  ).toString();
  const run = [...runs.values()].find(({ order }) => credentials === `run:${order.runToken}`);
  if (run === undefined) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="run"' });
    response.end();
    return;
  }
  const url = new URL(request.url!, 'http://fake');
  const child = spawn(
    'git',
    ['-c', 'http.receivepack=true', '-c', 'receive.fsckObjects=true', 'http-backend'],
    {
      env: {
        PATH: process.env.PATH ?? '',
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: url.pathname.replace('/git', ''),
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method ?? 'GET',
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        REMOTE_USER: 'run',
        ...(request.headers['content-encoding'] === undefined
          ? {}
          : { HTTP_CONTENT_ENCODING: request.headers['content-encoding'] }),
        ...(request.headers['content-length'] === undefined
          ? {}
          : { CONTENT_LENGTH: request.headers['content-length'] }),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  request.pipe(child.stdin);
  child.stdin.on('error', () => {});
  const pieces: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  child.once('close', () => {
    const output = Buffer.concat(pieces);
    const split = output.indexOf('\r\n\r\n');
    const headers = output
      .subarray(0, split)
      .toString()
      .split('\r\n')
      .map((line) => line.split(': ') as [string, string]);
    const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200';
    response.writeHead(
      Number.parseInt(status, 10),
      Object.fromEntries(headers.filter(([name]) => name !== 'Status')),
    );
    response.end(output.subarray(split + 4));
  });
}
