// kill -9 of each process at each named moment of a task's way, several tasks at a time on one appliance. A part of the table by
// default, all of it and once more at random offsets with AUTOCODE_CHAOS=all (`./scripts/chaos spine`).
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Task } from '../../protocol/task.ts';
import type { Worker } from '../../protocol/worker.ts';
import { OWN_POSTGRES, startAppliance } from './appliance.ts';
import { completedOnce, logsAreTrue, nothingLeft, query, untilUp } from './faults/invariants.ts';
import { keepAllLogs, lastStep, momentOf, type Places } from './faults/moments.ts';
import { atRandomOffsets, faultTable, GATED, randomFrom, shuffled, type Point } from './faults/points.ts';
import { kill } from './faults/victims.ts';

const LANES = 4;
const SAMPLE = 24;
const TRIES = 12;
/** For a process that the step is about to start. */
const APPEARS_MS = 1_000;
const all = process.env.AUTOCODE_CHAOS === 'all';
const seed = Number(process.env.AUTOCODE_CHAOS_SEED ?? 1);

const RETRIES = ['agent', 'platform', 'lost'].map((cause) => `limits.retries.${cause}=9`);
const appliance = await startAppliance(
  OWN_POSTGRES,
  'worker.concurrency=6',
  'lease.leaseSeconds=8',
  ...RETRIES,
);
const watching = new AbortController();
after(() => watching.abort()); // first: what fails in one of these keeps the others from running
after(() => appliance[Symbol.asyncDispose]());
const scene = { dataDir: appliance.dataDir, kept: path.join(appliance.directory, 'kept') };
void keepAllLogs(scene.dataDir, scene.kept, watching.signal);

/** Wrong at the first try, so that the run comes to `adjust` too. */
const AGENT =
  'if test -e "$HOME/tried"; then echo 42 > answer; else touch "$HOME/tried"; echo 43 > answer; fi; sleep 0.15';
const VERIFY = [{ name: 'test', command: 'sleep 0.1; test "$(cat answer)" = 42' }];

test(`kill -9 at each moment: every task ends once, with one change (seed ${seed}, ${all ? 'all' : 'a sample'})`, async (t) => {
  const random = randomFrom(seed);
  const table = faultTable();
  const points = all
    ? shuffled([...table, ...atRandomOffsets(table, random)], random)
    : shuffled(table, random).slice(0, SAMPLE);
  const left = [...points];
  const started = performance.now();
  const lanes = await Promise.allSettled(
    Array.from({ length: LANES }, async (_, lane) => await work(left, await laneAt(lane))),
  );
  const landed = lanes.map((lane) => {
    if (lane.status === 'rejected') throw lane.reason;
    return lane.value;
  });
  const seconds = (performance.now() - started) / 1000;
  t.diagnostic(`${landed.flat().length} kills in ${seconds.toFixed(0)} s`);
  assert.equal(landed.flat().length, points.length);
  await settled();
  await nothingLeft(scene);
  t.diagnostic(`${await logsAreTrue(scene)} log streams compared`);
});

interface Lane {
  project: string;
  places: Places;
}

async function laneAt(lane: number): Promise<Lane> {
  const project = `lane-${lane}`;
  const origin = await appliance.project(project, { agent: AGENT, verify: VERIFY });
  const [worker] = await appliance.api<Worker[]>('GET', '/workers');
  if (lane % 2 === 1 && worker?.isolations.includes('bubblewrap')) {
    await appliance.api('PATCH', `/projects/${project}`, { isolation: 'bubblewrap' });
  }
  for (const [hook, moment] of [
    ['pre-receive', 'pushing'],
    ['post-receive', 'pushed'],
  ] as const) {
    const file = path.join(origin, '.git/hooks', hook);
    writeFileSync(file, `#!/bin/sh\ncat >> "$GIT_DIR/${moment}"\nsleep 0.2\n`);
    chmodSync(file, 0o755);
  }
  const [row] = await query<{ id: string }>(
    scene,
    `select r.id from repository r join project p on p.id = r.project where p.name = $1`,
    [project],
  );
  return { project, places: { ...scene, origin, repository: Number(row!.id), approving: new Set() } };
}

/** Takes points until none is left; a point that a neighbour's kill made impossible is tried with another task. */
async function work(left: Point[], lane: Lane): Promise<string[]> {
  const done: string[] = [];
  try {
    for (let point = left.pop(); point !== undefined; point = left.pop()) {
      let landed: string | undefined;
      for (let attempt = 1; landed === undefined; attempt++) {
        assert.ok(attempt <= TRIES, `no kill of ${point.victim} at ${point.moment} after ${TRIES} tasks`);
        landed = await strike(point, lane);
      }
      done.push(landed);
      if (all) console.log(`${left.length} left: ${landed}`);
    }
    return done;
  } finally {
    left.length = 0; // where one lane fails, the others end too
  }
}

/** One task, one kill. Undefined when nothing was there to be killed. */
async function strike(
  { moment, victim, offsetMs }: Point,
  { project, places }: Lane,
): Promise<string | undefined> {
  const idempotencyKey = crypto.randomUUID();
  const task = await untilUp(
    async () =>
      await appliance.task(project, 'make it right', {
        idempotencyKey,
        ...(GATED.includes(moment) ? { approvePlan: true } : {}),
      }),
  );
  let ended = false;
  const end = appliance.ended(task).finally(() => (ended = true));
  const approved = GATED.includes(moment) ? approve(task, places, () => ended) : undefined;
  let hit = false;
  let where = '';
  if (await momentOf(moment, task, places, () => ended)) {
    if (offsetMs > 0) await delay(offsetMs);
    for (const patience = performance.now() + APPEARS_MS; !hit && performance.now() < patience;)
      hit = kill(victim, scene.dataDir, task);
    where = lastStep(scene.kept, task);
    if (victim === 'daemon') await raise();
  }
  await end;
  await approved;
  await completedOnce(scene, task, places.origin);
  return hit ? `${moment} +${offsetMs} ms: ${victim} killed (${where})` : undefined;
}

/** Approves each plan of a task, however often it must be said. */
async function approve(task: number, { approving }: Places, ended: () => boolean): Promise<void> {
  for (; !ended(); await delay(20)) {
    const found = await appliance.api<Task>('GET', `/tasks/${task}`).catch(() => undefined);
    if (found?.pendingReason !== 'approval') continue;
    approving.add(task);
    await appliance.api('POST', `/tasks/${task}/approve`, {}).catch(() => {});
  }
}

let raising: Promise<void> | undefined;

/** Starts the daemon again; one start for all who need it. */
async function raise(): Promise<void> {
  raising ??= appliance.up().finally(() => (raising = undefined));
  await raising;
}

/** Waits until what was killed has been cleared away; what stays is then a finding of `nothingLeft`. */
async function settled(): Promise<void> {
  await raise();
  for (const deadline = performance.now() + 45_000; performance.now() < deadline; await delay(250)) {
    if (
      await nothingLeft(scene).then(
        () => true,
        () => false,
      )
    )
      return;
  }
}
