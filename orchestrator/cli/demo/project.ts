// What the demo works on: the sample of examples/demo on the local forge, or the user's repository.
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { ModelPolicy } from '../../../protocol/model.ts';
import { Project, type Repository, VerifyCommand } from '../../../protocol/project.ts';
import { inheritedEnvironment } from '../../config/client-environment.ts';
import { isPrivate } from '../../models/engine/private-address.ts';
import type { Client } from '../client.ts';
import { serverAddress } from '../model-server.ts';
import type { DemoIsolation } from './isolation.ts';
import { createProject } from '../project/add.ts';
import { projectName, repositoryAddress } from '../project/address.ts';
import { verifyCommand } from '../project/settings.ts';

/** A project and the body of the task to be given in it. */
export interface Work {
  project: Project;
  task: Record<string, unknown>;
}

const SAMPLE = join(import.meta.dirname, '../../../examples/demo');
const MOST_NAMES = 1000;

const SampleTask = z.object({
  title: z.string(),
  body: z.string(),
  acceptance: z.array(z.string()).default([]),
  targetFiles: z.array(z.string()).default([]),
  verify: z.array(VerifyCommand),
});

/** A new project on the local forge, filled with the sample: each demo starts from the same commit. */
export async function sampleProject(client: Client, { isolation, trusted }: DemoIsolation): Promise<Work> {
  const { verify, ...task } = SampleTask.parse(parse(await readFile(join(SAMPLE, 'task.yaml'), 'utf8')));
  const project = await underFreeName(client, 'demo', { verify, isolation, trusted });
  await pushSample(project.repositories[0]!);
  return { project, task };
}

/** The project of the user's repository: the one that is registered, or a new one. */
export async function userProject(
  client: Client,
  args: {
    repo: string;
    request: string;
    verify: string[] | undefined;
    allowDirty: boolean;
    isolation: DemoIsolation;
  },
): Promise<Work> {
  const repository = repositoryAddress(args.repo);
  const verify = args.verify?.map(verifyCommand);
  const [title = '', ...rest] = args.request.trim().split('\n');
  const task = { title, body: rest.join('\n').trim() };
  const projects = await client.get('/projects', z.array(Project));
  const known = projects.find(
    (project) => project.archivedAt === null && project.repositories[0]?.origin === repository,
  );
  if (known === undefined) {
    const { isolation, trusted } = args.isolation;
    const input = { repository, verify, isolation, trusted, allowDirty: args.allowDirty };
    return { task, project: await underFreeName(client, projectName(args.repo), input) };
  }
  if (verify === undefined) return { task, project: known };
  return { task, project: await client.send('PATCH', `/projects/${known.name}`, Project, { verify }) };
}

/** Whoever names a server outside the appliance for the demo lets its project send requests there. */
export async function allowModel(client: Client, project: string, modelUrl: string): Promise<void> {
  if (isPrivate(new URL(serverAddress(modelUrl)).hostname)) return;
  await client.send('PATCH', `/projects/${project}/models`, ModelPolicy, { external: true });
}

/** Registers under `name`, `name-2`, … whichever is free. */
async function underFreeName(client: Client, name: string, input: Record<string, unknown>): Promise<Project> {
  for (let number = 1; ; number++) {
    try {
      return await createProject(client, {
        ...input,
        name: number === 1 ? name : `${name.slice(0, 58)}-${number}`,
      });
    } catch (error) {
      if (!(error instanceof AutocodeError && error.code === 'ERR_CONFLICT') || number === MOST_NAMES)
        throw error;
    }
  }
}

/** Commits the sample and pushes it over the empty first commit of the hosted repository. */
async function pushSample({ origin, defaultBranch }: Repository): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'autocode-demo-'));
  try {
    await cp(join(SAMPLE, 'repository'), directory, { recursive: true });
    await git(directory, 'init', '--quiet', `--initial-branch=${defaultBranch}`);
    await git(directory, 'add', '--all');
    await git(directory, 'commit', '--quiet', '--message', 'The sample as it was found');
    await git(directory, 'push', '--quiet', '--force', origin, `HEAD:refs/heads/${defaultBranch}`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** git without the user's own settings: hooks, signing and templates have no place in the sample. */
async function git(directory: string, ...words: string[]): Promise<void> {
  const own = { name: 'Autocode demo', email: 'demo@localhost', date: '2026-01-01T00:00:00Z' };
  const env = {
    ...inheritedEnvironment(),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: own.name,
    GIT_AUTHOR_EMAIL: own.email,
    GIT_AUTHOR_DATE: own.date,
    GIT_COMMITTER_NAME: own.name,
    GIT_COMMITTER_EMAIL: own.email,
    GIT_COMMITTER_DATE: own.date,
  };
  try {
    await promisify(execFile)('git', words, { cwd: directory, env });
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    throw new AutocodeError(
      'ERR_INTERNAL',
      `git ${words[0] ?? ''} failed for the sample: ${stderr.trim() || String(error)}`,
      {
        remedy: 'See `autocode doctor`.',
        cause: error,
      },
    );
  }
}
