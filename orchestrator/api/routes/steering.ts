// /tasks/{task}/messages, /approve, /reject: what people say while a task goes on.
import { z } from 'zod';
import { MessageInput, TaskMessage, TaskMessageInput } from '../../../protocol/message.ts';
import { PlanApproval, Task } from '../../../protocol/task.ts';
import { approvePlan, rejectPlan } from '../../tasks/approval.ts';
import { listMessages, sendMessage } from '../../tasks/messages.ts';
import { getTask } from '../../tasks/queries.ts';
import { sendOrReopen } from '../../tasks/reopen.ts';
import { actorOf } from '../authentication.ts';
import { Id } from '../parameters.ts';
import type { Routes } from '../server.ts';

const Params = z.object({ task: Id });

export const steeringRoutes: Routes = (app, { db }) => {
  app.get(
    '/tasks/:task/messages',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['tasks'],
        summary: "List a task's messages, in their order",
        params: Params,
        response: { 200: z.array(TaskMessage) },
      },
    },
    async (request) => {
      const { id } = await getTask(db, request.params.task);
      return await listMessages(db, id);
    },
  );
  app.post(
    '/tasks/:task/messages',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['tasks'],
        summary: 'Send a message to the agent of a task, at once or with its next prompt',
        params: Params,
        body: TaskMessageInput,
        response: { 201: TaskMessage },
      },
    },
    async (request, reply) => {
      const said = { author: actorOf(request), text: request.body.text };
      const send = request.body.reopen ? sendOrReopen : sendMessage;
      return reply.code(201).send(await send(db, request.params.task, said));
    },
  );
  app.post(
    '/tasks/:task/approve',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['tasks'],
        summary: 'Approve the plan of a task, as it is or with other steps',
        params: Params,
        body: PlanApproval,
        response: { 200: Task },
      },
    },
    async (request) => await approvePlan(db, request.params.task, actorOf(request), request.body),
  );
  app.post(
    '/tasks/:task/reject',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['tasks'],
        summary: 'Reject the plan of a task: another is made with the message in view',
        params: Params,
        body: MessageInput,
        response: { 200: Task },
      },
    },
    async (request) => {
      const said = { author: actorOf(request), text: request.body.text };
      return await rejectPlan(db, request.params.task, said);
    },
  );
};
