// Jira, Cloud and Data Center: issues that get a label or come to a status are work, comments that name us belong to it. By
// webhook where Jira reaches us, by asking for what has changed where it does not.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { notAuthentic, type Polled, type Source, type SourceDeps, type SourceKind } from '../source.ts';
import { jiraAnswers } from './jira-answers.ts';
import { openJira } from './jira-client.ts';
import { itemsOfDelivery } from './jira-events.ts';
import { JiraSettings } from './jira-settings.ts';

const OVERLAP_MS = 120_000; // Jira finds what has changed a while after it did
const MINUTE_MS = 60_000;

/** Jira. */
export const jira: SourceKind<JiraSettings> = {
  name: 'jira',
  about: {
    what: 'Issues and comments of Jira, Cloud or Data Center',
    secret: 'Of its webhook; not needed where Jira is only asked, by `token`',
    farSide:
      'Make a webhook with this address and the same secret for issues that are created and updated, and for comments.',
  },
  settings: JiraSettings,
  needsProject: false,
  scope: ({ settings }) => `jira ${settings.url}`,
  verify: async (source, { headers, body }, secret) => {
    if (!isSigned(headers['x-hub-signature'], body, await secret())) throw notAuthentic(source.name);
    const named = headers['x-atlassian-webhook-identifier'];
    const delivery = named || createHash('sha256').update(body).digest('hex');
    return { delivery, event: 'webhook' };
  },
  parse: ({ settings }, { body }) => itemsOfDelivery(body.toString(), settings),
  poll: {
    via: 'poll',
    everySeconds: ({ settings }) => (settings.token === undefined ? null : settings.pollSeconds),
    ask,
  },
  answers: jiraAnswers,
  test: async (source, deps, signal) => {
    if (source.settings.token === undefined)
      return [{ name: 'token', ok: true, detail: 'there is none: Jira is neither asked nor answered' }];
    try {
      const client = await openJira(source, deps);
      const [self, found] = await Promise.all([
        client.self(signal),
        client.search(jqlSince(source.settings, 60), signal),
      ]);
      return [
        { name: 'Jira', ok: true, detail: `we are ${self}; ${found.length} issues changed within the hour` },
      ];
    } catch (error) {
      return [{ name: 'Jira', ok: false, detail: (error as Error).message }];
    }
  },
};

// `sha256=<hex>`, as Jira signs where its webhook has a secret.
function isSigned(given: string | undefined, body: Buffer, secret: string): boolean {
  const hex = /^sha256=([0-9a-f]{64})$/i.exec(given ?? '')?.[1];
  if (hex === undefined || secret === '') return false;
  return timingSafeEqual(Buffer.from(hex, 'hex'), createHmac('sha256', secret).update(body).digest());
}

// The cursor is a time of Jira's clock. A query compares minutes, in the time zone of whoever asks: so many minutes ago is
// the same everywhere.
async function ask(
  source: Source<JiraSettings>,
  cursor: unknown,
  deps: SourceDeps,
  signal: AbortSignal,
): Promise<Polled> {
  const client = await openJira(source, deps);
  const now = await client.now(signal);
  if (typeof cursor !== 'string') return { deliveries: [], cursor: now.toISOString() };
  const since = new Date(new Date(cursor).getTime() - OVERLAP_MS);
  const minutes = Math.max(1, Math.ceil((now.getTime() - since.getTime()) / MINUTE_MS) + 1);
  const deliveries: Polled['deliveries'] = [];
  for (const id of await client.search(jqlSince(source.settings, minutes), signal)) {
    const issue = await client.issue(id, signal);
    if (issue === null) continue;
    const body = Buffer.from(JSON.stringify({ polled: { since: since.toISOString() }, issue }));
    deliveries.push({ delivery: `issue|${id}|${issue.fields.updated}`, event: 'issue', body });
  }
  return { deliveries, cursor: now.toISOString() };
}

function jqlSince({ jql }: JiraSettings, minutes: number): string {
  return `${jql === undefined ? '' : `(${jql}) AND `}updated >= "-${minutes}m" ORDER BY updated ASC`;
}
