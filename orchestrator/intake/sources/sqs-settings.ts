// What a source of the kind `sqs` is told. Used by sqs.ts and the readers of its messages.
import { z } from 'zod';
import { Name } from '../../../protocol/ids.ts';
import { SecretName } from '../../../protocol/secret.ts';

const Address = z.url({ protocol: /^https?$/ }).max(2000);

const Rule = z.strictObject({
  project: Name,
  account: z.string().min(1).max(100).optional(),
  region: z.string().min(1).max(100).optional(),
  alarm: z.string().min(1).max(300).optional().meta({ description: 'Name of alarms; `*` is any text.' }),
});

export const SqsSettings = z
  .strictObject({
    queue: Address.meta({ description: 'Address of the queue.' }),
    region: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .meta({ description: "Of the queue; read from AWS's addresses." }),
    endpoint: Address.optional().meta({ description: 'Of a server that is not AWS.' }),
    credentials: SecretName.optional().meta({
      format: 'secret-name',
      description: "Secret with `KEY_ID:SECRET_KEY`; the source's own when left out.",
    }),
    defaultChain: z.boolean().default(false).meta({
      description: "Credentials as the AWS SDK finds them: its variables and files, the machine's role.",
    }),
    deadLetterQueue: Address.optional().meta({ description: 'Where messages go that cannot be read.' }),
    visibilitySeconds: z.int().min(1).max(43_200).default(60).meta({
      description: 'For so long a message is ours; it is prolonged while it is at work.',
    }),
    topics: z.array(z.string().min(1)).min(1).optional().meta({
      description: 'ARNs of the topics of SNS that are listened to; all when left out.',
    }),
    projects: z
      .array(Rule)
      .max(1000)
      .default([])
      .meta({ title: 'Whose alarms', description: 'Whose alarms are whose: the first rule that fits.' }),
  })
  .transform((settings, context) => {
    const region =
      settings.region ??
      /^https:\/\/(?:sqs\.)?([a-z0-9-]+)(?:\.queue)?\.amazonaws\./.exec(settings.queue)?.[1];
    if (region !== undefined) return { ...settings, region };
    context.addIssue({
      code: 'custom',
      path: ['region'],
      message: 'the address of the queue tells no region: give it',
    });
    return z.NEVER;
  });
export type SqsSettings = z.infer<typeof SqsSettings>;
