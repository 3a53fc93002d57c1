// Refusals of a run, beside what it did then.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { refusalsOf } from './refusals.ts';

const SINCE = '2026-11-21T22:00:00.000Z';
const START = Date.parse(SINCE);

function run(t: TestContext, records: object[], events?: object[]) {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-refusals-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const places = { spool: path.join(directory, 'traffic'), logs: path.join(directory, 'logs') };
  const lines = (all: object[]) => all.map((each) => `${JSON.stringify(each)}\n`).join('');
  mkdirSync(places.spool);
  const record = {
    run: '12-1',
    method: 'GET',
    decision: 'denied',
    event: 'close',
    allowedBy: 'allow host=a',
  };
  const all = records.map((each, at) => ({ ...record, id: String(at), ...each }));
  writeFileSync(path.join(places.spool, '2026-11-21T22.jsonl'), lines(all));
  if (events !== undefined) {
    mkdirSync(path.join(places.logs, '12'), { recursive: true });
    writeFileSync(
      path.join(places.logs, '12', '12-1.events.log'),
      `${lines(events)}{"t":17,"type":"step","st`,
    );
  }
  return places;
}

const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();
const step = (seconds: number, name: string, status: string) => ({
  t: START + seconds * 1000,
  type: 'step',
  step: name,
  status,
});
const call = (seconds: number, id: string, title: string, status: string) => ({
  t: START + seconds * 1000,
  type: 'tool_call',
  id,
  title,
  kind: 'execute',
  status,
});

test('the refusals of a run are told once each, with how often, in their order', async (t) => {
  const [one, two] = ['https://a.example/1', 'https://a.example/2'];
  const of = (url: string, seconds: number, more = {}) => ({ url, at: at(seconds), ...more });
  const places = run(t, [of(one, 1), of(two, 2), of(one, 3), of(one, 4, { run: '13-1' })]);
  const refusal = { method: 'GET', allowedBy: 'allow host=a', misused: null, during: null };
  assert.deepEqual(await refusalsOf(places, '12-1', SINCE), [
    { ...refusal, url: one, times: 2 },
    { ...refusal, url: two, times: 1 },
  ]);
  assert.deepEqual(await refusalsOf(places, '14-1', SINCE), []);
});

test('each is told with the tool call that it came from, else with the step', async (t) => {
  const asked = [0.5, 2, 4, 5, 7, 9].map((seconds) => ({
    url: `https://a.example/${seconds}`,
    at: at(seconds),
  }));
  const places = run(t, asked, [
    step(1, 'execute', 'started'),
    call(1.5, 'a', 'Shell', 'pending'),
    call(1.6, 'a', 'npm install', 'in_progress'),
    call(3, 'a', 'npm install', 'completed'),
    call(4.5, 'b', 'pip install x', 'pending'),
    step(6, 'execute', 'ended'),
    call(6, 'b', 'pip install x', 'failed'),
    step(6.5, 'verify', 'started'),
    step(8, 'verify', 'failed'),
  ]);
  const refusals = await refusalsOf(places, '12-1', SINCE);
  assert.deepEqual(
    refusals.map(({ during }) => during),
    [null, 'npm install', 'execute', 'pip install x', 'verify', null],
  );
});
