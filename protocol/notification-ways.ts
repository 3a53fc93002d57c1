// How a person is told besides the inbox: email, digests, quiet hours, subscribed browsers.
import { z } from 'zod';
import { Timestamp } from './ids.ts';
import { TimeOfDay, TimeZone } from './order-of-work.ts';
import { text } from './text.ts';

/** An address of email that stands in a header as it is. */
export const EmailAddress = z
  .email('use an address as ann@example.com')
  .max(254)
  .refine(hasUsualParts, 'has a part that is longer than mail servers take, or ends with a hyphen');

// RFC 5321, 4.5.3.1.1, and RFC 1035, 2.3.4: what the pattern of an address says nothing about.
function hasUsualParts(address: string): boolean {
  const [local = '', domain = ''] = address.split('@');
  return local.length <= 64 && domain.split('.').every((label) => label.length <= 63 && !label.endsWith('-'));
}

export const DIGESTS = ['off', 'hourly', 'daily'] as const;
export const Digest = z.enum(DIGESTS);
export type Digest = z.infer<typeof Digest>;

const QuietTimes = z
  .strictObject({ from: TimeOfDay, to: TimeOfDay })
  .refine(({ from, to }) => from !== to, { path: ['to'], error: 'has to be another time than `from`' })
  .meta({ id: 'QuietTimes', description: 'On the next day where `to` is not later than `from`.' });

const fields = {
  address: EmailAddress.nullable().meta({ description: 'Where email goes.' }),
  email: z.boolean().meta({ description: 'Whether what my inbox gets goes to the address, too.' }),
  digest: Digest.meta({
    description: 'Whether what is not pressing is collected, by email and in browsers.',
  }),
  digestAt: TimeOfDay.meta({ description: 'When a daily digest goes out.' }),
  quietHours: QuietTimes.nullable().meta({
    description: 'When nothing goes out but what is urgent; the rest goes as one digest at the end.',
  }),
  timeZone: TimeZone,
};

/** What is left out stays. */
export const NotificationSettingsPatch = z
  .strictObject(fields)
  .partial()
  .meta({ id: 'NotificationSettingsPatch' });
export type NotificationSettingsPatch = z.infer<typeof NotificationSettingsPatch>;

export const OwnNotificationSettings = z
  .object({
    ...fields,
    address: z.string().nullable(),
    addressByProvider: z.boolean().meta({
      description: 'The address is that of the sign-in provider, and follows it.',
    }),
    addressConfirmed: z.boolean().meta({
      description:
        'Nothing is sent to an address that is not; one that an admin set, or the provider says, is.',
    }),
    letterAt: Timestamp.nullable().meta({
      description: 'When a letter went to the address whose code would still confirm it; null: none.',
    }),
    emailOffered: z.boolean().meta({ description: 'Whether this installation sends email.' }),
    pushOffered: z.boolean().meta({ description: 'Whether it sends to browsers.' }),
  })
  .meta({ id: 'OwnNotificationSettings' });
export type OwnNotificationSettings = z.infer<typeof OwnNotificationSettings>;

export const EmailConfirmation = z
  .strictObject({ code: text().min(1).max(100).meta({ description: 'As it stands in the letter.' }) })
  .meta({ id: 'EmailConfirmation' });

export const PushKey = z
  .object({
    key: z.string().nullable().meta({
      description:
        'The `applicationServerKey` that browsers subscribe with; null: nothing is sent to browsers.',
    }),
  })
  .meta({ id: 'PushKey' });
export type PushKey = z.infer<typeof PushKey>;

/** As a browser's `PushSubscription.toJSON()` says it, with a name for people. */
export const PushSubscriptionInput = z
  .strictObject({
    endpoint: z
      .url({ protocol: /^https$/, error: 'use an https address' })
      .regex(/^[!-~]+$/, 'use printable ASCII')
      .max(2000),
    keys: z.strictObject({
      p256dh: z.string().regex(/^B[\w-]{86}$/, 'use the 65 bytes of a point, in base64url'),
      auth: z.string().regex(/^[\w-]{22}$/, 'use 16 bytes in base64url'),
    }),
    label: text().trim().min(1).max(100).meta({ description: 'What the browser is called in the list.' }),
  })
  .meta({ id: 'PushSubscriptionCreate' });
export type PushSubscriptionInput = z.infer<typeof PushSubscriptionInput>;

export const PushSubscription = z
  .object({
    id: z.number().int(),
    label: z.string(),
    endpoint: z.string(),
    createdAt: Timestamp,
  })
  .meta({ id: 'PushSubscription' });
export type PushSubscription = z.infer<typeof PushSubscription>;
