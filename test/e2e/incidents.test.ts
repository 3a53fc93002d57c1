// Alarms on a whole appliance: the second one reaches the run that investigates the first, whose report is shown with the incident.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { IncidentDetails } from '../../protocol/incident.ts';
import type { IntakeDelivery } from '../../protocol/intake.ts';
import { eventually, startAppliance } from './appliance.ts';

const appliance = await startAppliance('incidents.settleMinutes=0');
after(async () => await appliance[Symbol.asyncDispose]());

const GO = path.join(appliance.directory, 'go');
/** Says as evidence which of the alarms it was told of, in the turn in which it writes. */
const AGENT = `prompt=$(cat)
while test ! -e ${GO}; do sleep 0.05; done
told=$(echo "$prompt" | grep -o 'the alert [a-z]*' | sort -u | tr '\\n' ' ')
printf '# What happened\\nIt was slow.\\n# Evidence\\n%s\\n# Suspected change\\nNone.\\n# Proposed action\\nWait.\\n' "$told" > "$AUTOCODE_REPORT"`;

async function tell(status: 'firing' | 'resolved', name: string): Promise<void> {
  const at = new Date().toISOString();
  const alert = {
    status,
    labels: { alertname: name, cluster: 'eu-1' },
    startsAt: at,
    endsAt: at,
    fingerprint: name,
  };
  const answer = await fetch(`${appliance.url()}/api/v1/intake/hooks/prometheus`, {
    method: 'POST',
    headers: { authorization: 'Bearer correct-horse' },
    body: JSON.stringify({ version: '4', groupKey: 'all', alerts: [alert] }),
  });
  assert.equal(answer.status, 202, await answer.text());
}

const verdicts = async () =>
  (await appliance.api<IntakeDelivery[]>('GET', '/intake/deliveries'))
    .toReversed()
    .flatMap(({ items }) => items.map(({ verdict }) => verdict));

test('two alarms are one incident and one run, which ends with a report; it is over when they are', async () => {
  await appliance.project('shop', { agent: AGENT, verify: [] });
  await appliance.api('POST', '/intake/sources', {
    name: 'prometheus',
    kind: 'alertmanager',
    project: 'shop',
    secret: 'correct-horse',
    settings: { accountLabel: 'cluster' },
  });
  await tell('firing', 'cpu');
  const working = async () => (await appliance.runs(1).catch(() => []))[0]?.state === 'working' || undefined;
  await eventually(working, 'the run to be at work');
  await tell('firing', 'disk');
  const told = async () => (await verdicts()).length === 2 || undefined;
  await eventually(told, 'the second alarm to be told');
  writeFileSync(GO, '');
  const task = await appliance.ended(1);
  assert.deepEqual([task.state, task.attempt, task.incident], ['completed', 1, 1], task.reason ?? '');
  assert.deepEqual(await verdicts(), ['created', 'appended']);
  const shown = await appliance.autocode('incident', 'show', '1');
  assert.match(shown, /state +open\naccounts +eu-1\ntasks +1 completed\nalarms +2 of 2 are firing/);
  assert.match(shown, /Evidence\nthe alert (cpu the alert )?disk\n/);
  assert.match(await appliance.autocode('task', 'show', '1'), /Proposed action\nWait\./);
  for (const name of ['cpu', 'disk']) await tell('resolved', name);
  const resolved = async () => {
    const incident = await appliance.api<IncidentDetails>('GET', '/incidents/1');
    return incident.state === 'resolved' ? incident : undefined;
  };
  const incident = await eventually(resolved, 'the incident to be resolved');
  assert.deepEqual([incident.firing, incident.reports.length, incident.resolvedBy], [0, 1, null]);
});
