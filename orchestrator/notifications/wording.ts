// What of the outbox people are told, in which words. Used by take.ts; a new kind gets its line here.
import type { Event } from '../../protocol/event.ts';
import type { NotificationKind } from '../../protocol/notification.ts';
import { plainLine } from './plain.ts';

export interface Told {
  kind: NotificationKind;
  /** What it is about: the same of the same is not told over and over. */
  subject: string;
  title: string;
  body: string;
  path: string | null;
}

/** An event of the outbox with the names of what it is about. */
export interface Named {
  event: Event;
  projectName: string | null;
  taskTitle: string | null;
}

/** What is told of an event; null for what nobody is told. */
export function told(named: Named): Told | null {
  const { event } = named;
  const { data } = event;
  switch (event.kind) {
    case 'change.opened':
      return data.updated === true ? null : ofChange(named, 'change.ready', 'Ready for review');
    case 'change.reviewed':
      return review(named);
    case 'change.mergeable':
      // The event also tells other news of a change that conflicted before.
      return data.mergeable === 'conflicts' && data.was !== 'conflicts'
        ? ofChange(named, 'change.conflict', 'In conflict', word(data.reason))
        : null;
    case 'change.followed':
      return data.to === 'rebased'
        ? null
        : ofChange(named, 'change.stuck', 'Cannot follow', word(data.reason));
    case 'task.state':
      if (data.to === 'failed') return ofTask(named, 'task.failed', 'Failed', word(data.reason));
      return data.to === 'pending' && data.pendingReason === 'approval'
        ? ofTask(named, 'task.approval', 'Waits for approval', word(data.reason))
        : null;
    case 'budget.reached':
      return budget(data);
    case 'incident.opened':
    case 'incident.reopened':
      return incident(named, 'incident.opened', event.kind === 'incident.opened' ? 'opened' : 'opened again');
    case 'incident.needs-person':
      return incident(named, 'incident.needs-person', 'needs a person', word(data.reason));
    case 'egress.anomaly':
      return anomaly(named);
    case 'secret.misused':
      return {
        kind: 'secret.misused',
        subject: `run/${event.run}`,
        title: `A secret was misused by run ${event.run ?? 'unknown'}`,
        body: where(named, plainLine(`asked for ${word(data.host)}`, 300)),
        path: event.task === null ? null : `/tasks/${event.task}`,
      };
    case 'intake.quarantined':
      return intake('intake.approval', `Work from ${plainLine(word(data.source))} waits for a person`, data);
    case 'intake.failed':
      return intake('intake.failed', `A delivery from ${plainLine(word(data.source))} was given up`, data);
    default:
      return null;
  }
}

function ofTask(named: Named, kind: NotificationKind, what: string, more = ''): Told {
  const { event, taskTitle } = named;
  return {
    kind,
    subject: `task/${event.task}`,
    title: plainLine(`${what}: ${taskTitle ?? `task ${event.task}`}`),
    body: where(named, plainLine(more, 500)),
    path: `/tasks/${event.task}`,
  };
}

function ofChange(named: Named, kind: NotificationKind, what: string, more = ''): Told {
  const change = word(named.event.data.change);
  return { ...ofTask(named, kind, what, more), subject: `change/${change}`, path: `/changes/${change}` };
}

function review(named: Named): Told | null {
  const { by, review: says } = named.event.data;
  if (says !== 'approved' && says !== 'changes-requested') return null;
  const who = plainLine(word(by), 100);
  const what = says === 'approved' ? 'Approved' : 'Changes requested';
  const said = ofChange(named, `change.${says}`, `${what} by ${who}`);
  return { ...said, subject: `${said.subject}/${who}` }; // what somebody else says is not the same again
}

function budget({ level, scope, subject, period }: Event['data']): Told {
  return {
    kind: 'budget.reached',
    subject: plainLine(`budget/${word(scope)}/${word(subject)}/${word(period)}`, 500),
    title: plainLine(`${word(level)} % of a budget are spent: ${word(scope)} ${word(subject)}`),
    body: plainLine(`The budget is by ${word(period)}.`),
    path: '/money',
  };
}

function incident(named: Named, kind: NotificationKind, what: string, more = ''): Told {
  return {
    kind,
    subject: `incident/${word(named.event.data.incident)}`,
    title: plainLine(`Incident ${word(named.event.data.incident)} ${what}: ${named.taskTitle ?? ''}`),
    body: where(named, plainLine(more, 500)),
    path: `/incidents/${word(named.event.data.incident)}`,
  };
}

function anomaly(named: Named): Told {
  const { anomaly: what, host } = named.event.data;
  const title =
    what === 'first-seen-host'
      ? `A host was asked for the first time: ${word(host)}`
      : `Unusual traffic: ${word(what)}`;
  return {
    kind: 'egress.anomaly',
    subject: plainLine(`${word(what)}/${word(host)}`, 500),
    title: plainLine(title),
    body: where(named, ''),
    path: '/traffic',
  };
}

function intake(kind: NotificationKind, title: string, { source, reason }: Event['data']): Told {
  const subject = plainLine(`source/${word(source)}`);
  return { kind, subject, title, body: plainLine(word(reason), 500), path: '/intake' };
}

function where({ event, projectName }: Named, more: string): string {
  const place = [
    ...(projectName === null ? [] : [`project ${projectName}`]),
    ...(event.task === null ? [] : [`task ${event.task}`]),
  ].join(', ');
  return [place, more].filter((part) => part !== '').join('\n');
}

function word(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
