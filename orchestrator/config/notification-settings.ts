// Configuration of notifications (`notifications`): the channels that they go out by. Part of schema.ts; read by
// orchestrator/notifications/ and the API.
import { z } from 'zod';
import { Name } from '../../protocol/ids.ts';

const shared = {
  name: Name.describe('Unique among the channels.'),
  secret: Name.optional().describe(
    'Name of the secret: the key that a webhook is signed with, the address of an incoming webhook of Slack; `notify-<name>` when left out.',
  ),
  forPeople: z.boolean().default(false).describe('Whether people may name it in rules of their own.'),
};

const Channel = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('slack'), ...shared }),
  z.strictObject({
    kind: z.literal('webhook'),
    url: z.url({ protocol: /^https?$/, error: 'use an http or https address' }).describe('Where it is sent.'),
    ...shared,
  }),
]);
export type Channel = z.infer<typeof Channel>;

export const NotificationSettings = z.strictObject({
  channels: z
    .array(Channel)
    .max(100)
    .refine(
      (channels) => new Set(channels.map(({ name }) => name)).size === channels.length,
      'has a name twice',
    )
    .default([])
    .describe(
      'Where notifications go besides the inbox: Slack, and webhooks signed as Standard Webhooks says.',
    ),
  giveUpHours: z
    .number()
    .positive()
    .max(24 * 30)
    .default(24)
    .describe('For so long a delivery that fails is tried again.'),
});

export type NotificationSettings = z.infer<typeof NotificationSettings>;

/** Name of the secret that a channel needs. */
export function secretOf({ name, secret }: Channel): string {
  return secret ?? `notify-${name}`;
}
