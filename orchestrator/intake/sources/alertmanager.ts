// Alertmanager of Prometheus: a webhook with a bearer token, several alerts in each. It tells all of a group again and again
// while one of them fires, so an alert is one by its group, its fingerprint and when it began.
import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { Name } from '../../../protocol/ids.ts';
import { notAuthentic, type Source, type SourceKind } from '../source.ts';
import type { WorkItem } from '../work-item.ts';
import { jsonObject, shaped } from './shaped.ts';
import { shownName } from './shown-name.ts';

const AlertmanagerSettings = z.strictObject({
  projects: z
    .array(z.strictObject({ project: Name, labels: z.record(z.string().min(1), z.string()) }))
    .max(1000)
    .default([])
    .meta({ description: 'Whose alerts are whose: the first rule whose labels an alert has all.' }),
  accountLabel: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Label that names the account of an alert, as `cluster`.' }),
});
type AlertmanagerSettings = z.infer<typeof AlertmanagerSettings>;

const Words = z.record(z.string(), z.string()).default({});
const Alert = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: Words,
  annotations: Words,
  startsAt: z.iso.datetime({ offset: true }),
  endsAt: z.iso.datetime({ offset: true }).nullish(),
  generatorURL: z.string().default(''),
  fingerprint: z.string().min(1),
});
type Alert = z.infer<typeof Alert>;

const Notification = z.object({
  version: z.literal('4'),
  groupKey: z.string().min(1),
  truncatedAlerts: z.int().default(0),
  alerts: z.array(Alert).max(10_000),
});
type Notification = z.infer<typeof Notification>;

/** Alertmanager. */
export const alertmanager: SourceKind<AlertmanagerSettings> = {
  name: 'alertmanager',
  about: {
    what: 'Alerts of Prometheus by its Alertmanager',
    secret: 'The bearer token that Alertmanager shows: any long random text',
    farSide:
      'Add a receiver with `webhook_configs`: this address as `url`, and the secret as `http_config.authorization.credentials`.',
  },
  settings: AlertmanagerSettings,
  needsProject: false,
  scope: ({ name }) => name,
  // A notification has no name of its own, and is sent again with the same bytes.
  verify: async (source, { headers, body }, secret) => {
    const token = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
    if (token === undefined || !isSame(token, await secret())) throw notAuthentic(source.name);
    return { delivery: createHash('sha256').update(body).digest('hex'), event: 'notification' };
  },
  parse: (source, { body }) => {
    const notification = shaped(Notification, jsonObject(body.toString(), 'notification'), 'notification');
    return notification.alerts.map((alert) => itemOf(source, notification, alert));
  },
};

// By their digests, which are of one length whatever was sent.
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return wanted !== '' && timingSafeEqual(digest(given), digest(wanted));
}

function itemOf(
  { settings }: Source<AlertmanagerSettings>,
  { groupKey, truncatedAlerts }: Notification,
  { status, labels, annotations, startsAt, endsAt, generatorURL, fingerprint }: Alert,
): WorkItem {
  const name = labels.alertname ?? fingerprint;
  const rule = settings.projects.find((each) =>
    Object.entries(each.labels).every(([label, value]) => labels[label] === value),
  );
  const { summary, description, ...others } = annotations;
  const account = settings.accountLabel === undefined ? undefined : labels[settings.accountLabel];
  return {
    kind: 'signal',
    key: ['alert', groupKey, fingerprint, startsAt, status].join('|'),
    subject: `alert|${fingerprint}`,
    actor: null,
    byRight: true,
    title: summary ? `${name}: ${summary}` : `Alert ${name}`,
    text: [
      `State: ${status}, since ${startsAt}${status === 'resolved' && endsAt ? `, until ${endsAt}` : ''}`,
      description,
      ...lines(others),
      `Labels: ${lines(labels).join(', ')}`,
      generatorURL && `Shown at: ${generatorURL}`,
      truncatedAlerts > 0 && `Alertmanager left ${truncatedAlerts} further alerts of the group out.`,
    ]
      .filter(Boolean)
      .join('\n'),
    what: `the alert ${shownName(name)}`,
    at: new Date(status === 'resolved' && endsAt ? endsAt : startsAt),
    state: status,
    ...(account && { account }),
    ...(rule !== undefined && { project: rule.project }),
  };
}

function lines(words: Record<string, string>): string[] {
  return Object.entries(words).map(([word, value]) => `${word}: ${value}`);
}
