// Tools by which people answer a task: messages to its agent, decisions about its plan. Used by serve.ts.
import { z } from 'zod';
import { TaskId } from '../../../protocol/ids.ts';
import { MessageInput, TaskMessage } from '../../../protocol/message.ts';
import { PlanApproval, Task } from '../../../protocol/task.ts';
import { TaskSummary } from './task-report.ts';
import { tool } from './tool.ts';

const Decided = z.object({ task: TaskSummary });

export const steeringTools = [
  tool({
    name: 'send_message',
    title: "Say something to a task's agent",
    description:
      'Sends a message to the agent of a task that has not ended: at once where it can be interrupted, else with its next prompt or run.',
    input: MessageInput.extend({ task: TaskId }),
    output: z.object({ message: TaskMessage }),
    effect: 'add',
    call: async ({ task, ...message }, { client }) => ({
      message: await client.send('POST', `/tasks/${task}/messages`, TaskMessage, message),
    }),
  }),
  tool({
    name: 'approve_plan',
    title: 'Approve a plan',
    description:
      'Lets a task that waits for approval begin, by its plan as it is or with other steps. The plan is in get_task. Ask the person who decides first.',
    input: PlanApproval.extend({ task: TaskId }),
    output: Decided,
    effect: 'add',
    call: async ({ task, ...plan }, { client }) => ({
      task: await client.send('POST', `/tasks/${task}/approve`, Task, plan),
    }),
  }),
  tool({
    name: 'reject_plan',
    title: 'Reject a plan',
    description:
      'Has another plan made for a task that waits for approval, with what is wrong with this one.',
    input: MessageInput.extend({ task: TaskId }),
    output: Decided,
    effect: 'add',
    call: async ({ task, ...message }, { client }) => ({
      task: await client.send('POST', `/tasks/${task}/reject`, Task, message),
    }),
  }),
];
