// `autocode incident list`, `show`, `resolve`, `reopen` and `merge`.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Incident, IncidentDetails } from '../../../protocol/incident.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { oneLine, relativeTime, timestamp } from '../format.ts';
import { block, paint, print, printJson, table } from '../output.ts';
import { show } from '../redraw.ts';
import { drawReport } from './report.ts';

interface ListArgs extends GlobalArgs {
  state: string | undefined;
  account: string | undefined;
  limit: number;
  before: number | undefined;
}

/** Lists incidents. */
export async function listIncidents(args: ListArgs): Promise<void> {
  const client = connect(args);
  const { state, account, limit, before } = args;
  const query = { state, account, limit, before };
  await show(args, () => client.get('/incidents', z.array(Incident), query), drawList);
}

/** Shows one with its alarms and reports. */
export async function showIncident(args: GlobalArgs & { incident: number }): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get(`/incidents/${args.incident}`, IncidentDetails), drawIncident);
}

type WordArgs = GlobalArgs & { incident: number; reason: string | undefined };

/** Resolves one. */
export async function resolveIncident(args: WordArgs): Promise<void> {
  await say(args, 'resolve', 'is resolved.');
}

/** Has one investigated again. */
export async function reopenIncident(args: WordArgs): Promise<void> {
  await say(args, 'reopen', 'is investigated again.');
}

/** Makes incidents part of another, the last one named. */
export async function mergeIncidents(
  args: GlobalArgs & { incidents: number[]; reason: string | undefined },
): Promise<void> {
  const from = args.incidents.slice(0, -1);
  const into = args.incidents.at(-1);
  if (into === undefined || from.length === 0)
    throw new AutocodeError('ERR_INVALID_INPUT', 'One incident alone is nothing to merge.', {
      remedy: 'Name at least two, the one that is to remain as the last: `autocode incident merge 8 7`.',
    });
  const { incidents, reason } = args;
  const body = { from, ...(reason !== undefined && { reason }) };
  const merged = await connect(args).send('POST', `/incidents/${into}/merge`, IncidentDetails, body);
  if (args.json) return printJson(merged);
  const what = incidents.length === 2 ? `Incident ${from[0]} is` : `Incidents ${from.join(', ')} are`;
  print(`${what} part of incident ${into} now. Its task: ${tasksOf(merged)}.`);
}

async function say(args: WordArgs, verb: string, done: string): Promise<void> {
  const body = { ...(args.reason !== undefined && { reason: args.reason }) };
  const incident = await connect(args).send(
    'POST',
    `/incidents/${args.incident}/${verb}`,
    IncidentDetails,
    body,
  );
  if (args.json) return printJson(incident);
  print(`Incident ${incident.id} ${done} Its task: ${tasksOf(incident)}.`);
}

function drawList(incidents: Incident[]): string {
  if (incidents.length === 0) return 'No incidents.';
  return table(incidents, [
    { title: 'INCIDENT', value: ({ id }) => String(id), align: 'right' },
    { title: 'STATE', value: stateOf },
    { title: 'ACCOUNTS', value: ({ accounts }) => oneLine(accounts.join(', ')) },
    {
      title: 'FIRING',
      value: ({ firing, alarms, mergedInto }) => (mergedInto === null ? `${firing} of ${alarms}` : ''),
      align: 'right',
    },
    { title: 'LAST', value: ({ lastAt }) => relativeTime(lastAt) },
    { title: 'TASKS', value: (each) => (each.mergedInto === null ? tasksOf(each) : '') },
    { title: 'FIRST ALARM', value: ({ title }) => oneLine(title) },
  ]);
}

function stateOf({ state, needsPerson, mergedInto }: Incident): string {
  if (mergedInto !== null) return `merged into ${mergedInto}`;
  return needsPerson === null ? state : 'needs a person';
}

function tasksOf({ tasks, others }: Incident): string {
  const own = tasks.map(
    ({ task, state, dropped, superseded }) =>
      `${task} ${dropped ? 'not needed' : state}${superseded ? ' (superseded)' : ''}`,
  );
  return [...own, ...(others === 0 ? [] : [`${others} of other projects`])].join(', ');
}

function drawIncident(incident: IncidentDetails): string {
  const { firstAt, lastAt, quietAt, resolvedAt, resolvedBy, resolution, mergedInto, mergedFrom } = incident;
  const head = block([
    ['incident', `${incident.id}: ${oneLine(incident.title)}`],
    [
      'state',
      mergedInto === null
        ? incident.state
        : `merged into incident ${mergedInto}: what follows is of that one`,
    ],
    ['has merged', mergedFrom.length === 0 ? null : mergedFrom.join(', ')],
    ['needs a person', incident.needsPerson],
    ['accounts', oneLine(incident.accounts.join(', '))],
    ['tasks', tasksOf(incident)],
    ['alarms', `${incident.firing} of ${incident.alarms} are firing; they fired ${incident.fired} times`],
    ['from', `${timestamp(firstAt)} to ${timestamp(lastAt)}`],
    ['quiet since', quietAt === null ? null : relativeTime(quietAt)],
    [
      mergedInto === null ? 'resolved' : 'merged',
      resolvedAt === null
        ? null
        : `${relativeTime(resolvedAt)} ${resolvedBy === null ? 'by itself' : `by ${resolvedBy}`}`,
    ],
    ['because', resolution === null ? null : oneLine(resolution)],
    ['opened again', incident.reopened === 0 ? null : `${incident.reopened} times`],
  ]);
  const alarms = table(incident.alarmList, [
    { title: 'ALARM', value: ({ title }) => oneLine(title) },
    { title: 'ACCOUNT', value: ({ account }) => oneLine(account) },
    { title: 'STATE', value: ({ firing }) => (firing ? 'firing' : 'over') },
    { title: 'SINCE', value: ({ since }) => relativeTime(since) },
    { title: 'FIRED', value: ({ fired }) => String(fired), align: 'right' },
    { title: 'TASK', value: ({ task }) => String(task), align: 'right' },
  ]);
  const reports = incident.reports.map(
    ({ run, at, report }) =>
      `${paint('bold', `Report of run ${run}, ${relativeTime(at)}`)}\n\n${drawReport(report)}`,
  );
  return [head, alarms, ...reports].join('\n\n');
}
