// `autocode task add`.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Project } from '../../../protocol/project.ts';
import { Task } from '../../../protocol/task.ts';
import { connect, type Client } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { limitsOf, type LimitArgs } from '../limits.ts';
import { print, printJson } from '../output.ts';
import { taskState } from '../states.ts';
import { watchUntilEnd } from './watch.ts';

interface Args extends GlobalArgs, LimitArgs {
  title: string | undefined;
  project: string | undefined;
  body: string | undefined;
  bodyFile: string | undefined;
  accept: string[] | undefined;
  file: string[] | undefined;
  priority: number | undefined;
  branch: string | undefined;
  repo: string[] | undefined;
  agent: string | undefined;
  model: string | undefined;
  key: string | undefined;
  fromIssue: string | undefined;
  again: boolean;
  force: boolean;
  approvePlan: boolean | undefined;
  watch: boolean;
}

/** Gives a task; with --watch stays until it has ended. */
export async function addTask(args: Args): Promise<void> {
  const client = connect(args);
  const task = await (args.fromIssue === undefined ? giveTask : fromIssue)(client, args);
  if (args.watch) return await watchUntilEnd(client, task, args);
  if (args.json) return printJson(task);
  print(
    `Task ${task.id} is ${taskState(task)} in ${task.project}. Watch it with \`autocode task watch ${task.id}\`.`,
  );
}

async function giveTask(client: Client, args: Args): Promise<Task> {
  const { title, key } = args;
  if (title === undefined) {
    throw new AutocodeError('ERR_INVALID_INPUT', 'It is not said what is to be done.', {
      remedy: 'Give a title, as `autocode task add "Fix the sum"`; or an issue with --from-issue URL.',
    });
  }
  const project = args.project ?? (await onlyProject(client));
  return await client.send('POST', '/tasks', Task, {
    ...taskInput(args),
    project,
    title,
    idempotencyKey: key,
  });
}

/** The issue tells the project and the title. */
async function fromIssue(client: Client, args: Args): Promise<Task> {
  const { fromIssue: issue, again, force, project, title } = args;
  if (title !== undefined) {
    throw new AutocodeError('ERR_INVALID_INPUT', `There is a title, "${title}", and an issue.`, {
      remedy: 'The issue has a title: say what is to be added to it with --body.',
    });
  }
  return await client.send('POST', '/tasks-from-issues', Task, {
    ...taskInput(args),
    project,
    issue,
    again,
    force,
  });
}

/** What every new task may say; fields that are undefined are left out by JSON. */
function taskInput(args: Args): Record<string, unknown> {
  return {
    body: args.bodyFile === undefined ? args.body : readText(args.bodyFile),
    acceptance: args.accept,
    targetFiles: args.file,
    priority: args.priority,
    baseBranch: args.branch,
    repositories: args.repo
      ?.flatMap((names) => names.split(','))
      .map((name) => name.trim())
      .filter(Boolean),
    agent: args.agent,
    model: args.model,
    limits: limitsOf(args),
    idempotencyKey: args.key,
    approvePlan: args.approvePlan,
  };
}

/** The project when there is just one; `choose` says how to name one of several. */
export async function onlyProject(client: Client, choose = 'Name one with --project'): Promise<string> {
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
          : `${choose}: ${projects.map((project) => project.name).join(', ')}.`,
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
