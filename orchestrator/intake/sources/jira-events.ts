// What a delivery of Jira says, as work items: its webhooks, and issues as polling found them. Either way an event has the key
// that Jira's own number gives it, so that the two of one thing are one. Pure. Used by jira.ts.
import { z } from 'zod';
import type { WorkItem } from '../work-item.ts';
import type { JiraSettings } from './jira-settings.ts';
import { plainText } from './jira-text.ts';
import { jsonObject, shaped, timeOf } from './shaped.ts';

/** The first words of what we write ourselves, by which it is known. */
export const OWN_COMMENT = /^Autocode, task \d+:/;

const Id = z.union([z.string().min(1), z.int()]).transform(String);
const User = z
  .object({ accountId: z.string().optional(), name: z.string().optional(), key: z.string().optional() })
  .nullish();
// `toString` where it is missing is what every object has: only the object's own counts.
const Change = z.record(z.string(), z.unknown()).transform((change) => ({
  field: textIn(change, 'field'),
  before: textIn(change, 'fromString'),
  after: textIn(change, 'toString'),
}));

const Comment = z.object({ id: Id, author: User, body: z.unknown().optional(), created: z.string() });
const Fields = z.object({
  summary: z.string().default(''),
  description: z.unknown().optional(),
  labels: z.array(z.string()).default([]),
  status: z.object({ name: z.string() }).nullish(),
  creator: User,
  created: z.string().optional(),
  comment: z.object({ comments: z.array(Comment).default([]) }).nullish(),
});
const Issue = z.object({ id: Id, key: z.string().regex(/^[A-Z][A-Z0-9_]+-\d+$/), fields: Fields });
type Issue = z.infer<typeof Issue>;

const Hook = z.object({
  timestamp: z.unknown().optional(),
  webhookEvent: z.string(),
  user: User,
  issue: Issue.optional(),
  changelog: z.object({ id: Id, items: z.array(Change) }).optional(),
  comment: Comment.optional(),
});

const History = z.object({ id: Id, author: User, created: z.string(), items: z.array(Change) });
type History = z.infer<typeof History>;

/** An issue as polling stores it; only what happened at `since` or later is taken up. */
const Polled = z.object({
  polled: z.object({ since: z.iso.datetime() }),
  issue: Issue.extend({ changelog: z.object({ histories: z.array(History).default([]) }).optional() }),
});

/** The items of a delivery; throws where it is nothing that Jira sends. */
export function itemsOfDelivery(body: string, settings: JiraSettings): WorkItem[] {
  const document = jsonObject(body, 'delivery');
  return document.polled === undefined
    ? itemsOfHook(shaped(Hook, document, 'webhook'), settings)
    : itemsOfPolled(shaped(Polled, document, 'issue'), settings);
}

function itemsOfHook(
  { timestamp, webhookEvent, user, issue, changelog, comment }: z.infer<typeof Hook>,
  settings: JiraSettings,
) {
  if (issue === undefined) return [];
  const items: WorkItem[] = [];
  const { labels, status, creator } = issue.fields;
  if (webhookEvent === 'jira:issue_created' && isWanted(labels, status?.name, settings))
    items.push(created(issue, user ?? creator, settings));
  if (webhookEvent === 'jira:issue_updated' && changelog && turnsWanted(changelog.items, settings))
    items.push(
      changed(
        issue,
        changelog.id,
        user,
        typeof timestamp === 'number' ? new Date(timestamp) : null,
        settings,
      ),
    );
  // Data Center tells of a comment as an update of its issue too.
  const commented = webhookEvent === 'comment_created' || webhookEvent === 'jira:issue_updated';
  if (commented && comment !== undefined) items.push(...said(issue, comment, settings));
  return items;
}

function itemsOfPolled({ polled, issue }: z.infer<typeof Polled>, settings: JiraSettings): WorkItem[] {
  const since = new Date(polled.since);
  const { histories = [] } = issue.changelog ?? {};
  const { creator, created: createdAt, comment } = issue.fields;
  const items: WorkItem[] = [];
  if (createdAt !== undefined && timeOf(createdAt, 'issue') >= since) {
    const [labels, status] = atFirst(issue, histories);
    if (isWanted(labels, status, settings)) items.push(created(issue, creator, settings));
  }
  for (const { id, author, created: at, items: changes } of histories) {
    const time = timeOf(at, 'change');
    if (time >= since && turnsWanted(changes, settings))
      items.push(changed(issue, id, author, time, settings));
  }
  for (const each of comment?.comments ?? [])
    if (timeOf(each.created, 'comment') >= since) items.push(...said(issue, each, settings));
  return items;
}

// Labels and status as an issue was made with: what the first change of each says it was before, else as it is.
function atFirst({ fields }: Issue, histories: History[]): [string[], string | undefined] {
  const time = ({ created: at }: History) => timeOf(at, 'change').getTime();
  const changes = histories
    .toSorted((one, other) => time(one) - time(other) || Number(one.id) - Number(other.id))
    .flatMap(({ items }) => items);
  const labels = changes.find(({ field }) => field === 'labels');
  const status = changes.find(({ field }) => field === 'status');
  return [
    labels === undefined ? fields.labels : words(labels.before),
    status === undefined ? fields.status?.name : status.before,
  ];
}

function isWanted(labels: string[], status: string | undefined, settings: JiraSettings): boolean {
  return (
    labels.some((label) => settings.labels.includes(label)) ||
    (status !== undefined && settings.statuses.includes(status))
  );
}

function turnsWanted(changes: z.infer<typeof Change>[], settings: JiraSettings): boolean {
  return changes.some(({ field, before, after }) => {
    if (field === 'status') return settings.statuses.includes(after);
    if (field !== 'labels') return false;
    return words(after).some((label) => settings.labels.includes(label) && !words(before).includes(label));
  });
}

// Labels have no spaces in them; a change names all, before and after.
function words(text: string): string[] {
  return text.split(' ').filter(Boolean);
}

function created(issue: Issue, user: z.infer<typeof User>, settings: JiraSettings): WorkItem {
  const at = issue.fields.created === undefined ? null : timeOf(issue.fields.created, 'issue');
  return {
    ...wanted(issue, settings),
    key: `issue|${issue.id}|created`,
    actor: nameOf(user),
    byRight: false,
    at,
  };
}

// To label an issue or to move it takes a right in Jira.
function changed(
  issue: Issue,
  id: string,
  user: z.infer<typeof User>,
  at: Date | null,
  settings: JiraSettings,
): WorkItem {
  return { ...wanted(issue, settings), key: `change|${id}`, actor: nameOf(user), byRight: true, at };
}

function wanted(issue: Issue, settings: JiraSettings): Omit<WorkItem, 'key' | 'actor' | 'byRight' | 'at'> {
  return {
    ...about(issue, settings),
    kind: 'task',
    title: `${issue.key}: ${issue.fields.summary}`,
    text: plainText(issue.fields.description),
    priority: settings.priority,
  };
}

function said(
  issue: Issue,
  { id, author, body, created: at }: z.infer<typeof Comment>,
  settings: JiraSettings,
): WorkItem[] {
  const text = plainText(body);
  if (!text.includes(settings.mention) || OWN_COMMENT.test(text)) return [];
  return [
    {
      ...about(issue, settings),
      kind: 'message',
      key: `comment|${id}`,
      actor: nameOf(author),
      byRight: false,
      title: `${issue.key}: ${issue.fields.summary}`,
      text,
      at: timeOf(at, 'comment'),
    },
  ];
}

function about({ id, key }: Issue, { url, projects }: JiraSettings) {
  const project = projects[key.slice(0, key.lastIndexOf('-'))];
  return {
    subject: `issue|${id}`,
    what: `the issue ${url}/browse/${key}`,
    ...(project !== undefined && { project }),
  };
}

// Cloud knows people by their account alone, Data Center by their name.
function nameOf(user: z.infer<typeof User>): string {
  return user?.accountId ?? user?.name ?? user?.key ?? 'nobody';
}

function textIn(record: Record<string, unknown>, key: string): string {
  const value = Object.hasOwn(record, key) ? record[key] : '';
  return typeof value === 'string' ? value : '';
}
