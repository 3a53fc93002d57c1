// What becomes of investigations when their incidents are merged: in each project one of them goes on, and is told what the other
// one was. Used by merge.ts, under the lock of incidents.
import type { Queryable } from '../db/connect.ts';
import type { Said } from '../tasks/messages.ts';
import { oneLine, quoted } from '../tasks/outside-text.ts';
import { arrangeQueue, lockTask, type LockedTask } from '../tasks/queue.ts';
import { ENDED_TASK_STATES, moveTask } from '../tasks/task-state.ts';
import { tellInvestigation } from './investigation.ts';

/** Of what the other one was told, so much is told on: it is not to fill the mailbox. */
const MOST_TOLD_ON = 50;
const MOST_ALARMS = 100;
const LONGEST_BODY = 15_000;

/** The task that investigates an incident in a project, under lock. */
interface Part extends LockedTask {
  incident: number;
}

/** Which task of an incident goes on in a project, and which is put aside for it. */
interface Joined {
  current: Part;
  aside: Part | undefined;
}

/** Gives the tasks of an incident to another; `first` is the first of them, `goesOnHere` whether one of them goes on there. */
export async function joinInvestigations(
  tx: Queryable,
  from: number,
  into: number,
  said: Said,
): Promise<{ first: number; goesOnHere: boolean }> {
  const parts = await lockParts(tx, [from, into]);
  const theirs = parts.filter(({ incident }) => incident === from);
  const own = parts.filter(({ incident }) => incident === into);
  const joined = theirs.map((part) =>
    choose(
      part,
      own.find(({ project }) => project === part.project),
    ),
  );
  for (const { current, aside } of joined) {
    if (aside !== undefined) await putAside(tx, { current, aside }, said);
    else if (!ENDED_TASK_STATES.includes(current.state))
      await tellInvestigation(tx, current.id, { author: said.author, message: said.text });
  }
  const { rows } = await tx.query<{ task: number }>(
    'update incident_task set incident = $2 where incident = $1 returning task',
    [from, into],
  );
  return {
    first: Math.min(...rows.map(({ task }) => task)),
    goesOnHere: joined.some(({ current }) => theirs.includes(current)),
  };
}

// Locks are taken project by project in their order, so that two of such transactions never wait for each other.
async function lockParts(tx: Queryable, incidents: number[]): Promise<Part[]> {
  const { rows } = await tx.query<{ incident: number; task: number }>(
    `select distinct on (project, incident) incident, task from incident_task
      where incident = any($1) and not superseded order by project, incident, task desc`,
    [incidents],
  );
  const parts: Part[] = [];
  for (const { incident, task } of rows) parts.push({ ...(await lockTask(tx, task)), incident });
  return parts;
}

// The one that was there before goes on, unless nothing comes of it and something may come of the other.
function choose(theirs: Part, own: Part | undefined): Joined {
  if (own === undefined) return { current: theirs, aside: undefined };
  return isLost(own) && !isLost(theirs) ? { current: theirs, aside: own } : { current: own, aside: theirs };
}

function isLost({ state }: Part): boolean {
  return state === 'failed' || state === 'cancelled';
}

async function putAside(
  tx: Queryable,
  { current, aside }: { current: Part; aside: Part },
  said: Said,
): Promise<void> {
  const { incident, project } = aside;
  const told = await whatItWas(tx, aside);
  await tx.query('update incident_task set superseded = true where incident = $1 and project = $2', [
    incident,
    project,
  ]);
  await tx.query(
    `update incident_alarm set task = $2 where incident = $1 and task in
       (select task from incident_task where incident = $1 and project = $3)`,
    [incident, current.id, project],
  );
  const reason = `${said.text} Task ${current.id} is the investigation of both.`;
  if (aside.state === 'running') {
    const text = `${reason} Finish the report with what is known.`;
    await tellInvestigation(tx, aside.id, { author: said.author, message: text });
  } else if (!ENDED_TASK_STATES.includes(aside.state)) {
    await moveTask(tx, aside.id, { state: 'cancelled', reason });
    await arrangeQueue(tx, project);
  }
  await tellInvestigation(tx, current.id, { author: said.author, message: `${said.text}\n\n${told.what}` });
  for (const { author, text } of told.messages)
    await tellInvestigation(tx, current.id, { author, message: text });
}

async function whatItWas(
  tx: Queryable,
  { incident, id, project }: Part,
): Promise<{ what: string; messages: Said[] }> {
  const alarms = await tx.query<{ title: string; account: string; firing: boolean; fired: number }>(
    `select a.title, a.account, a.firing, a.fired from incident_alarm a join task t on t.id = a.task
      where a.incident = $1 and t.project = $2 order by a.since limit ${MOST_ALARMS}`,
    [incident, project],
  );
  const { rows } = await tx.query<{ body: string }>('select body from task where id = $1', [id]);
  const messages = await tx.query<Said>(
    `select author, text from (select number, author, text from task_message where task = $1
       order by number desc limit ${MOST_TOLD_ON}) newest order by number`,
    [id],
  );
  const lines = alarms.rows.map(
    ({ title, account, firing, fired }) =>
      `${oneLine(title)}, account ${oneLine(account)}: ${firing ? 'firing' : 'over'}, fired ${fired} times`,
  );
  const what = [
    `Its alarms:\n\n${quoted(lines.join('\n'))}`,
    `What task ${id}, which investigated it, was given:\n\n${rows[0]!.body.slice(0, LONGEST_BODY)}`,
  ].join('\n\n');
  return { what, messages: messages.rows };
}
