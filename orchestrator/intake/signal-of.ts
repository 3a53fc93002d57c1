// An item that is a state of an alarm, as incidents take it. Used by act.ts and decide.ts.
import type { IncidentRules } from '../incidents/rules.ts';
import type { Signal } from '../incidents/signal.ts';
import { oneLine } from '../tasks/outside-text.ts';
import type { Source } from './source.ts';
import { messageText, taskBody, titleOf } from './wording.ts';
import type { WorkItem } from './work-item.ts';

/** Its project is the one that a rule of its source names, else that of its account, else the source's. */
export function signalOf(source: Source, scope: string, item: WorkItem, { accounts }: IncidentRules): Signal {
  const account = oneLine(item.account ?? '') || source.name;
  return {
    scope,
    subject: item.subject ?? item.key,
    account,
    state: item.state ?? 'firing',
    at: item.at,
    title: titleOf(item),
    body: taskBody(item),
    message: messageText(item),
    source: source.name,
    author: item.actor === null ? source.name : `${item.actor.slice(0, 100)} (${source.name})`,
    project: item.project ?? accounts.of(account)?.project ?? source.project,
    reopenings: source.trust.reopenings,
  };
}
