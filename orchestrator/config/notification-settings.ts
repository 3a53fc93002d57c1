// Configuration of notifications (`notifications`): channels, the server for email, browsers. Part of schema.ts; read by
// orchestrator/notifications/ and the API.
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { Name } from '../../protocol/ids.ts';
import { EmailAddress } from '../../protocol/notification-ways.ts';
import { TimeOfDay, TimeZone } from '../../protocol/order-of-work.ts';

const shared = {
  name: Name.describe('Unique among the channels.'),
  forPeople: z.boolean().default(false).describe('Whether people may name it in rules of their own.'),
  quietHours: z
    .strictObject({ from: TimeOfDay, to: TimeOfDay, timeZone: TimeZone.default('UTC') })
    .refine(({ from, to }) => from !== to, { path: ['to'], error: 'has to be another time than `from`' })
    .optional()
    .describe('When nothing but what is urgent goes out by it; the rest goes as one digest at the end.'),
};

const signed = {
  ...shared,
  secret: Name.optional().describe(
    'Name of the secret: the key that a webhook is signed with, the address of an incoming webhook of Slack; `notify-<name>` when left out.',
  ),
};

const Channel = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('slack'), ...signed }),
  z.strictObject({
    kind: z.literal('webhook'),
    url: z.url({ protocol: /^https?$/, error: 'use an http or https address' }).describe('Where it is sent.'),
    ...signed,
  }),
  z.strictObject({
    kind: z.literal('email'),
    to: EmailAddress.describe('Where it is sent; for several people the address of a list.'),
    ...shared,
  }),
]);
export type Channel = z.infer<typeof Channel>;
/** One that a request is sent to. */
export type HookChannel = Exclude<Channel, { kind: 'email' }>;

export const EmailSettings = z
  .strictObject({
    host: z.hostname('use the name or the address of a host').describe('The SMTP server.'),
    port: z.int().min(1).max(65_535).default(587).describe('Its port.'),
    tls: z
      .enum(['starttls', 'implicit', 'none'])
      .default('starttls')
      .describe(
        '`starttls` (usual at 587; nothing is sent without it), `implicit` (usual at 465) or `none`.',
      ),
    user: z.string().min(1).max(320).optional().describe('Who signs in there; nobody when left out.'),
    secret: Name.default('notify-email').describe('Name of the secret with the password of that user.'),
    from: EmailAddress.describe('The address that it is from.'),
  })
  .refine(({ host, tls, user }) => tls !== 'none' || user === undefined || isLoopback(host), {
    path: ['tls'],
    error: 'a password is not sent without TLS, but to this machine: use starttls or implicit',
  });
export type EmailSettings = z.infer<typeof EmailSettings>;

/** The push services of Chrome and Edge on Android, Firefox, Edge on Windows, and Safari. */
const PUSH_SERVICES = [
  'fcm.googleapis.com',
  'updates.push.services.mozilla.com',
  '*.notify.windows.com',
  '*.push.apple.com',
];

const PushSettings = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe('Whether people may have their browsers show what their inbox gets.'),
    subject: z
      .string()
      .regex(/^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/, 'use a mailto: or https: address')
      .optional()
      .describe('Whom a push service may turn to: a `mailto:` or `https:` address.'),
    hosts: z
      .array(
        z
          .string()
          .regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'use a name as push.example.com or *.example.com'),
      )
      .default(PUSH_SERVICES)
      .describe('The only push services that are sent to, at public addresses alone.'),
  })
  .refine(({ enabled, subject }) => !enabled || subject !== undefined, {
    path: ['subject'],
    error: 'is needed by push services: a mailto: or https: address',
  });
export type PushSettings = z.infer<typeof PushSettings>;

export const NotificationSettings = z
  .strictObject({
    channels: z
      .array(Channel)
      .max(100)
      .refine(
        (channels) => new Set(channels.map(({ name }) => name)).size === channels.length,
        'has a name twice',
      )
      .default([])
      .describe(
        'Where notifications go besides the inbox: Slack, webhooks signed as Standard Webhooks says, and email.',
      ),
    email: EmailSettings.optional().describe('The server that email goes out by.'),
    push: PushSettings.prefault({}),
    repeatMinutes: z
      .number()
      .min(0)
      .max(24 * 60)
      .default(30)
      .describe(
        'What is told again of the same within so long joins what is unread in the inbox, and goes out again only where something has changed; 0: everything is told each time.',
      ),
    giveUpHours: z
      .number()
      .positive()
      .max(24 * 30)
      .default(24)
      .describe('For so long a delivery that fails is tried again.'),
  })
  .refine(({ channels, email }) => email !== undefined || channels.every(({ kind }) => kind !== 'email'), {
    path: ['email'],
    error: 'a channel of the kind email needs the server that it goes out by: host and from',
  });

export type NotificationSettings = z.infer<typeof NotificationSettings>;

/** Name of the secret that a channel needs. */
export function secretOf({ name, secret }: HookChannel): string {
  return secret ?? `notify-${name}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || (isIPv4(host) && host.startsWith('127.'));
}
