// `autocode task add`.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Project } from '../../../protocol/project.ts';
import { Task } from '../../../protocol/task.ts';
import { connect, type Client } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { print, printJson } from '../output.ts';
import { taskState } from '../states.ts';
import { watchUntilEnd } from './watch.ts';

interface Args extends GlobalArgs {
  title: string;
  project: string | undefined;
  body: string | undefined;
  bodyFile: string | undefined;
  accept: string[] | undefined;
  file: string[] | undefined;
  priority: number | undefined;
  branch: string | undefined;
  agent: string | undefined;
  model: string | undefined;
  deadline: number | undefined;
  iterations: number | undefined;
  key: string | undefined;
  watch: boolean;
}

/** Gives a task; with --watch stays until it has ended. */
export async function addTask(args: Args): Promise<void> {
  const client = connect(args);
  const task = await client.send('POST', '/tasks', Task, await taskInput(client, args));
  if (args.watch) return await watchUntilEnd(client, task, args);
  if (args.json) return printJson(task);
  print(
    `Task ${task.id} is ${taskState(task)} in ${task.project}. Watch it with \`autocode task watch ${task.id}\`.`,
  );
}

/** The body of POST /tasks; fields that are undefined are left out by JSON. */
async function taskInput(client: Client, args: Args): Promise<Record<string, unknown>> {
  return {
    project: args.project ?? (await onlyProject(client)),
    title: args.title,
    body: args.bodyFile === undefined ? args.body : readText(args.bodyFile),
    acceptance: args.accept,
    targetFiles: args.file,
    priority: args.priority,
    baseBranch: args.branch,
    agent: args.agent,
    model: args.model,
    limits: { deadlineMinutes: args.deadline, maxIterations: args.iterations },
    idempotencyKey: args.key,
  };
}

/** The project when there is just one. */
async function onlyProject(client: Client): Promise<string> {
  const projects = (await client.get('/projects', z.array(Project))).filter(
    (project) => project.archivedAt === null,
  );
  const [first] = projects;
  if (projects.length === 1 && first !== undefined) return first.name;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    first === undefined ? 'There is no project yet.' : 'There are several projects.',
    {
      remedy:
        first === undefined
          ? 'Register one with `autocode project add PATH`.'
          : `Name one with --project: ${projects.map((project) => project.name).join(', ')}.`,
    },
  );
}

/** A file's text, or stdin's for `-`. */
export function readText(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new AutocodeError('ERR_INVALID_INPUT', `${path} cannot be read: ${(error as Error).message}.`, {
      remedy: 'Give the path of a text file, or - for stdin.',
      cause: error,
    });
  }
}
