// Tools that give tasks, show them, and end or repeat them; and the projects that they are given to. Used by serve.ts.
import { z } from 'zod';
import { Name, TaskId } from '../../../protocol/ids.ts';
import { Project } from '../../../protocol/project.ts';
import { Task, TaskInput, TaskState } from '../../../protocol/task.ts';
import { onlyProject } from '../task/add.ts';
import { TaskReport, taskReport, TaskSummary } from './task-report.ts';
import { tool } from './tool.ts';

const OneTask = z.strictObject({ task: TaskId });
const project = Name.optional().meta({
  description: 'Name of the project; see list_projects. That of `autocode mcp --project` when left out.',
});

export const taskTools = [
  tool({
    name: 'create_task',
    title: 'Give a task',
    description:
      'Gives Autocode a task: an agent does it, its result is verified and becomes a branch with a pull request. ' +
      'Give an idempotencyKey made for this very task (a random one will do) so that a repeated call cannot make a second one. ' +
      'Answers at once; follow the task with wait_for_task.',
    input: TaskInput.extend({ project }),
    output: z.object({ task: TaskSummary }),
    effect: 'add',
    async call(input, { client, project }) {
      const named = input.project ?? project ?? (await onlyProject(client, 'Name one as `project`'));
      return { task: await client.send('POST', '/tasks', Task, { ...input, project: named }) };
    },
  }),
  tool({
    name: 'list_tasks',
    title: 'List tasks',
    description: 'Lists tasks, newest first, with their states.',
    input: z.strictObject({
      project,
      state: TaskState.optional(),
      limit: z.int().min(1).max(200).default(20),
      before: TaskId.optional().meta({ description: 'Older than this task: the next page.' }),
    }),
    output: z.object({ tasks: z.array(TaskSummary) }),
    effect: 'read',
    call: async (input, { client, project }) => ({
      tasks: await client.get('/tasks', z.array(Task), { ...input, project: input.project ?? project }),
    }),
  }),
  tool({
    name: 'get_task',
    title: 'Show a task',
    description:
      'Shows a task: its state, why it waits and what would change that, its plan, its newest runs with their checks, its changes with links to pull requests.',
    input: OneTask,
    output: TaskReport,
    effect: 'read',
    call: async ({ task }, { client }) => await taskReport(client, task),
  }),
  tool({
    name: 'cancel_task',
    title: 'Cancel a task',
    description: 'Cancels a task, whatever it does; a run stops within seconds. What it did stays readable.',
    input: OneTask,
    output: z.object({ task: TaskSummary }),
    effect: 'end',
    call: async ({ task }, { client }) => ({
      task: await client.send('POST', `/tasks/${task}/cancel`, Task),
    }),
  }),
  tool({
    name: 'retry_task',
    title: 'Retry a task',
    description: 'Gives a task that failed or was cancelled another run.',
    input: OneTask,
    output: z.object({ task: TaskSummary }),
    effect: 'add',
    call: async ({ task }, { client }) => ({ task: await client.send('POST', `/tasks/${task}/retry`, Task) }),
  }),
  tool({
    name: 'list_projects',
    title: 'List projects',
    description: 'Lists the projects that tasks can be given to, with their repositories and checks.',
    input: z.strictObject({}),
    output: z.object({
      projects: z.array(
        Project.pick({
          name: true,
          repositories: true,
          verify: true,
          agent: true,
          model: true,
          approvePlan: true,
          isolation: true,
        }),
      ),
    }),
    effect: 'read',
    async call(_, { client }) {
      const projects = await client.get('/projects', z.array(Project));
      return { projects: projects.filter(({ archivedAt }) => archivedAt === null) };
    },
  }),
];
