// The fleet as an operator has it: `autocode worker deploy` on two VMs of a real Nomad, over TLS, then its verbs. What workers
// there do with runs is in nomad-claimer.test.ts.
import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { FleetAllocation, FleetNode, FleetPlan, Rollout } from '../../protocol/fleet.ts';
import type { Worker } from '../../protocol/worker.ts';
import { eventually, startAppliance, type Appliance } from '../e2e/appliance.ts';
import { authorityOf, keepRunnerService, settingsFor, volumesIn } from '../support/fleet.ts';
import { startNomad } from '../support/nomad.ts';

test('workers are deployed, looked at, drained and stopped by verbs', { timeout: 280_000 }, async (t) => {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'autocode-deploy-')));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  await using cluster = await startNomad({ clients: 2, volumes: volumesIn(directory) });
  const { given, url } = await settingsFor(cluster);
  await using appliance = await startAppliance(...given);
  const autocode = async <T>(...words: string[]) =>
    JSON.parse(await appliance.autocode(...words, '--json')) as T;
  const workers = async () => await autocode<Worker[]>('worker', 'list');
  const authority = await authorityOf(appliance, directory);
  using services = new DisposableStack();
  for (const vm of cluster.vms) services.use(keepRunnerService(vm, directory, { url, authority }));

  await t.test('without its token Nomad is not asked, and it says how to put it there', async () => {
    await assert.rejects(appliance.autocode('worker', 'deploy', '--dry-run'), {
      code: 6,
      stderr: /nomad-token/,
    });
    await setSecret(appliance, cluster.token);
  });

  await t.test('a dry run shows it and changes nothing', async () => {
    const plan = await autocode<FleetPlan>('worker', 'deploy', '--count', '2', '--dry-run');
    assert.deepEqual([plan.effects, plan.shortage], [['agent: 2 will be placed'], []]);
    assert.deepEqual(await cluster.call('GET', 'jobs'), []);
    await assert.rejects(appliance.autocode('worker', 'deploy', '--count', '2'), {
      code: 2,
      stderr: /--yes/,
    });
    await assert.rejects(appliance.autocode('worker', 'deploy', '--agent', 'nobody', '--yes'), {
      code: 2,
      stderr: /no agent "nobody"/,
    });
  });

  await t.test('they are deployed once they are registered, one on each VM, over TLS', async () => {
    const words = ['--count', '2', '--daily-budget', '12.5', '--agent', 'command', '--yes'];
    const outcome = await autocode<Rollout>('worker', 'deploy', ...words);
    assert.deepEqual([outcome.state, outcome.healthy], ['healthy', 2]);
    const found = await workers();
    assert.deepEqual(found.map(({ name }) => name).sort(), cluster.vms.map(({ name }) => name).sort());
    for (const worker of found) {
      assert.deepEqual([worker.placement, worker.state, worker.host], ['service', 'online', worker.name]);
      assert.ok(outcome.allocations.some(({ id, node }) => id === worker.allocation && node === worker.name));
    }
    const same = await appliance.autocode('worker', 'deploy', '--yes');
    assert.match(same, /deployed like this already/);
  });

  const [vm] = cluster.vms;
  await t.test('a worker is shown with its allocation, and its log', async () => {
    const shown = await appliance.autocode('worker', 'show', vm!.name);
    assert.match(shown, /in Nomad +autocode-worker\.agent\[\d\] on \S+, version 0: running, healthy/);
    assert.match(await appliance.autocode('worker', 'logs', vm!.name), /registered as/);
    const { allocation } = (await workers()).find(({ name }) => name === vm!.name)!;
    assert.match(await appliance.autocode('worker', 'logs', allocation!.slice(0, 8)), /registered as/);
    await assert.rejects(appliance.autocode('worker', 'logs', 'nobody'), { code: 3 });
    await assert.rejects(appliance.autocode('worker', 'show', 'nobody'), { code: 3, stderr: /There are: / });
  });

  await t.test('a worker and its node are drained and come back', async () => {
    await appliance.autocode('worker', 'drain', vm!.name);
    assert.equal((await workers()).find(({ name }) => name === vm!.name)!.draining, true);
    await appliance.autocode('worker', 'undrain', vm!.name);
    assert.equal((await workers()).find(({ name }) => name === vm!.name)!.draining, false);
    const node = await autocode<FleetNode>('worker', 'drain', vm!.name, '--node', '--deadline', '30s');
    assert.deepEqual([node.name, node.eligible], [vm!.name, false]);
    const back = await autocode<FleetNode>('worker', 'undrain', vm!.name, '--node');
    assert.equal(back.eligible, true);
  });

  await t.test('a worker is stopped by its allocation', async () => {
    const other = cluster.vms[1]!.name;
    const { allocation } = (await workers()).find(({ name }) => name === other)!;
    const stopped = await autocode<FleetAllocation>('worker', 'stop', other);
    assert.equal(stopped.id, allocation);
    await eventually(async () => {
      const now = await appliance.api<FleetAllocation>('GET', `/fleet/allocations/${allocation}`);
      return !now.wanted || undefined;
    }, 'the stop');
  });
});

async function setSecret(appliance: Appliance, value: string): Promise<void> {
  await appliance.api('PUT', '/secrets/nomad-token', { value });
}
