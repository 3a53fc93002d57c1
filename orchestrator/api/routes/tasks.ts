// /tasks: the work that people and machines give.
import { z } from 'zod';
import { Name } from '../../../protocol/ids.ts';
import { IssueTaskInput, Task, TaskInput, TaskPatch, TaskState } from '../../../protocol/task.ts';
import { cancelTask } from '../../tasks/cancel.ts';
import { createTask } from '../../tasks/create.ts';
import { editTask } from '../../tasks/edit.ts';
import { getTask, listTasks } from '../../tasks/queries.ts';
import { retryTask } from '../../tasks/retry.ts';
import { actorOf } from '../authentication.ts';
import { Id, Limit } from '../parameters.ts';
import { projectsOf } from '../project-scope.ts';
import type { Routes } from '../server.ts';
import { taskDefaults } from '../task-defaults.ts';

const Params = z.object({ task: Id });

export const taskRoutes: Routes = (app, context) => {
  const { db, repositories } = context;
  app.get(
    '/tasks',
    {
      config: { access: 'viewer', limited: 'filtered' },
      schema: {
        tags: ['tasks'],
        summary: 'List tasks, newest first',
        querystring: z.object({
          state: TaskState.optional(),
          project: Name.optional(),
          limit: Limit,
          before: Params.shape.task.optional(),
        }),
        response: { 200: z.array(Task) },
      },
    },
    async (request) => await listTasks(db, { ...request.query, projects: projectsOf(request) }),
  );
  app.post(
    '/tasks',
    {
      config: { access: 'operator', limited: 'by body' },
      schema: {
        tags: ['tasks'],
        summary: 'Give a task',
        description:
          'Answers 201 with the new task, or 200 with the first one when the idempotency key was seen before.',
        body: TaskInput,
        response: { 200: Task, 201: Task },
      },
    },
    async (request, reply) => {
      const { task, created } = await createTask(db, request.body, taskDefaults(request, context));
      return reply.code(created ? 201 : 200).send(task);
    },
  );
  app.post(
    '/tasks-from-issues',
    {
      config: { access: 'operator', limited: 'by body' },
      schema: {
        tags: ['tasks'],
        summary: 'Make a task of an issue',
        description: 'Answers 201 with the new task, or 200 with the one that the issue has already.',
        body: IssueTaskInput,
        response: { 200: Task, 201: Task },
      },
    },
    async (request, reply) => {
      const { task, created } = await repositories.fromIssue(request.body, taskDefaults(request, context));
      return reply.code(created ? 201 : 200).send(task);
    },
  );
  app.get(
    '/tasks/:task',
    {
      config: { access: 'viewer' },
      schema: { tags: ['tasks'], summary: 'Show a task', params: Params, response: { 200: Task } },
    },
    async (request) => await getTask(db, request.params.task),
  );
  app.patch(
    '/tasks/:task',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['tasks'],
        summary: 'Change a task before it runs; its priority also while it runs',
        description:
          'With `was`, what the editor saw: when somebody has changed that meanwhile, the answer is 409 and `details.changed` tells what was and what is.',
        params: Params,
        body: TaskPatch,
        response: { 200: Task },
      },
    },
    async (request) =>
      await editTask(db, request.params.task, request.body, {
        actor: actorOf(request),
        priorityMinutes: context.config.scheduling.priorityMinutes,
      }),
  );
  app.post(
    '/tasks/:task/cancel',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['tasks'],
        summary: 'Cancel a task, in any state before its change is open',
        params: Params,
        response: { 200: Task },
      },
    },
    async (request) => await cancelTask(db, request.params.task, actorOf(request)),
  );
  app.post(
    '/tasks/:task/retry',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['tasks'],
        summary: 'Give a failed or cancelled task another run',
        params: Params,
        response: { 200: Task },
      },
    },
    async (request) => await retryTask(db, request.params.task),
  );
};
