// Who may ask for the time of day. Leases, deadlines and retries are decided by the database's clock; what waits or measures uses
// a monotonic one. Then a clock that jumps, on whichever machine, changes nothing but the times that people read.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const root = path.resolve(import.meta.dirname, '..');
const DECIDING = [
  'orchestrator/tasks',
  'orchestrator/incidents',
  'orchestrator/workers',
  'orchestrator/events',
  'worker-agent/runner',
  'worker-agent/pipeline',
];
/** Times in a log, and how long an agent took to answer, are for people. */
const FOR_PEOPLE = [
  'worker-agent/runner/log.ts',
  'worker-agent/agents/check.ts',
  'worker-agent/agents/conformance.ts',
];

test('what decides about leases, deadlines and retries never asks for the time of day', () => {
  const asking = DECIDING.flatMap((folder) => fs.globSync(`${folder}/**/*.ts`, { cwd: root }))
    .filter((file) => !/\.test\.ts$|\/testing\/|\/fixtures\//.test(file) && !FOR_PEOPLE.includes(file))
    .filter((file) => /\bDate\.now\(|new Date\(\)/.test(fs.readFileSync(path.join(root, file), 'utf8')));
  assert.deepEqual(asking, []);
});

test('decisions ask for the time of the database by `now()` alone, so that a virtual clock can stand in for it', () => {
  const otherwise = fs
    .globSync('orchestrator/{tasks,intake,incidents,budget,events,workers,repos,access}/**/*.{ts,sql}', {
      cwd: root,
    })
    .concat(fs.globSync('orchestrator/db/migrations/*.sql', { cwd: root }))
    .filter((file) => !file.endsWith('.test.ts'))
    .filter((file) =>
      /\bcurrent_(timestamp|date|time)\b|\blocaltime(stamp)?\b|pg_catalog\.now|'now'::|\btimeofday\(/i.test(
        fs.readFileSync(path.join(root, file), 'utf8'),
      ),
    );
  assert.deepEqual(otherwise, []);
});

test("the runner compares no time of the orchestrator's with one of its own", () => {
  const parsing = fs
    .globSync('worker-agent/**/*.ts', { cwd: root })
    .filter((file) => !/\.test\.ts$|\/testing\//.test(file))
    .filter((file) => /Date\.parse\(/.test(fs.readFileSync(path.join(root, file), 'utf8')));
  assert.deepEqual(
    parsing,
    ['worker-agent/runner/lease.ts'],
    'there, two times of the orchestrator make a distance',
  );
});
