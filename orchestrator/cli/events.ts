// `autocode events`.
import { z } from 'zod';
import { Event } from '../../protocol/event.ts';
import { Project } from '../../protocol/project.ts';
import { Plan } from '../../protocol/run.ts';
import { connect, type Client, type Query } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { oneLine, timestamp } from './format.ts';
import { paint, print, printJson, printJsonLine } from './output.ts';
import { styleOf } from './states.ts';

interface Args extends GlobalArgs {
  follow: boolean;
  project: string | undefined;
  task: number | undefined;
  run: string | undefined;
  kind: string | undefined;
  after: string | undefined;
  limit: number;
}

/** Prints a page of events, or follows them. */
export async function events(args: Args): Promise<void> {
  const client = connect(args);
  const { task, run, kind, after } = args;
  const query: Query = {
    project: args.project === undefined ? undefined : await projectId(client, args.project),
    task,
    run,
    kind,
    after,
  };
  if (!args.follow) {
    const page = await client.get('/events', z.array(Event), { ...query, limit: args.limit });
    return args.json ? printJson(page) : page.forEach((event) => print(eventLine(event)));
  }
  for await (const message of client.follow('/events', { query, signal: new AbortController().signal })) {
    const event = Event.parse(JSON.parse(message.data));
    if (args.json) printJsonLine(event);
    else print(eventLine(event));
  }
}

async function projectId(client: Client, name: string): Promise<number> {
  return (await client.get(`/projects/${encodeURIComponent(name)}`, Project)).id;
}

/** One event in one line: when, what, of what, from where to where. */
export function eventLine(event: Event): string {
  const subject =
    event.run ??
    (event.task === null ? (event.project === null ? '' : `project ${event.project}`) : `task ${event.task}`);
  const { from, to, reason, ...rest } = event.data;
  const move =
    typeof to === 'string' ? `${typeof from === 'string' ? `${from} → ` : ''}${paint(styleOf(to), to)}` : '';
  const others = Object.entries(rest).map(([name, value]) => `${name}=${particular(value)}`);
  const parts = [move, typeof reason === 'string' ? `– ${oneLine(reason)}` : '', others.join(' ')].filter(
    (part) => part !== '',
  );
  return `${paint('dim', timestamp(event.at))}  ${event.kind.padEnd(15)} ${subject.padEnd(8)} ${parts.join(' ')}`.trimEnd();
}

/** A value of an event in some words: a plan by how far it is. */
function particular(value: unknown): string {
  const plan = Plan.safeParse(value);
  if (plan.success)
    return `${plan.data.steps.filter((step) => step.status === 'completed').length}/${plan.data.steps.length} done`;
  return typeof value === 'string' ? oneLine(value) : JSON.stringify(value);
}
