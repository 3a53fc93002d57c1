// Messages that people send to a task while it goes on: what the API takes and shows, and what a runner hands to its agent.
import { z } from 'zod';
import { Fence, RunId, Timestamp } from './ids.ts';
import { text } from './text.ts';

export const MessageInput = z
  .strictObject({ text: text().trim().min(1).max(20_000) })
  .meta({ id: 'TaskMessageCreate' });
export type MessageInput = z.infer<typeof MessageInput>;

export const TaskMessageInput = MessageInput.extend({
  reopen: z.boolean().default(false).meta({
    description: 'A task that has ended is opened again for it: another run goes on from its branch.',
  }),
}).meta({ id: 'TaskMessageSend' });

/** A message as an agent gets it; their numbers are their order within the task. */
export const Message = z
  .object({ number: z.int().positive(), author: z.string(), text: z.string(), at: Timestamp })
  .meta({ id: 'Message' });
export type Message = z.infer<typeof Message>;

export const TaskMessage = Message.extend({
  run: RunId.nullable().meta({ description: 'The run whose agent was given it; null while it waits.' }),
  deliveredAt: Timestamp.nullable(),
}).meta({ id: 'TaskMessage' });
export type TaskMessage = z.infer<typeof TaskMessage>;

/** A runner says which messages its agent has been given. */
export const DeliveryInput = z
  .strictObject({
    fence: Fence,
    delivered: z
      .int()
      .nonnegative()
      .meta({ description: 'Number of the last one that the agent was given.' }),
    last: z.boolean().default(false).meta({
      description:
        'The agent is done: from now on messages are refused, unless some wait, which are answered.',
    }),
  })
  .meta({ id: 'DeliveryInput' });
export type DeliveryInput = z.infer<typeof DeliveryInput>;

export const DeliveryAnswer = z
  .object({ messages: z.array(Message).meta({ description: 'What came after the ones delivered.' }) })
  .meta({ id: 'DeliveryAnswer' });
export type DeliveryAnswer = z.infer<typeof DeliveryAnswer>;
