// What a source of the kind `jira` is told. Used by jira.ts and what it consists of.
import { z } from 'zod';
import { Name } from '../../../protocol/ids.ts';
import { SecretName } from '../../../protocol/secret.ts';

const Words = z.array(z.string().trim().min(1).max(255)).max(100);

export const JiraSettings = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .transform((url) => url.replace(/\/+$/, ''))
      .meta({ title: 'Address', description: 'Where Jira is, as a browser opens it.' }),
    edition: z.enum(['cloud', 'data-center']).optional().meta({
      description: 'Cloud at *.atlassian.net, Data Center elsewhere, when left out.',
    }),
    token: SecretName.optional().meta({
      format: 'secret-name',
      description:
        'Secret for asking and answering: `EMAIL:API_TOKEN` of Cloud, a personal access token of Data Center. Without it Jira is not asked.',
    }),
    labels: Words.default(['autocode']).meta({ description: 'An issue that gets one of these is work.' }),
    statuses: Words.default([]).meta({ description: 'An issue that comes to one of these is work.' }),
    mention: z.string().min(1).max(100).default('@autocode').meta({
      description: 'A comment with this in it is for us.',
    }),
    projects: z
      .record(z.string().regex(/^[A-Z][A-Z0-9_]+$/, "use the key of Jira's project"), Name)
      .default({})
      .meta({
        description: "Whose issues are whose: keys of Jira's projects, each with the name of a project here.",
      }),
    priority: z.int().min(-100).max(100).default(0).meta({ description: 'Of the tasks of its issues.' }),
    jql: z.string().max(5000).optional().meta({ title: 'JQL', description: 'Narrows what is asked for.' }),
    pollSeconds: z.int().min(10).max(86_400).default(60).meta({ description: 'How often Jira is asked.' }),
  })
  .transform((settings) => ({
    ...settings,
    edition:
      settings.edition ??
      (new URL(settings.url).hostname.endsWith('.atlassian.net') ? 'cloud' : 'data-center'),
  }));
export type JiraSettings = z.infer<typeof JiraSettings>;
