// What may not be left on a fleet when all its tasks have ended: allocations, processes, control groups. Used by fleet.ts.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { FleetDifference } from '../../protocol/fleet-difference.ts';
import { MARK_NAME } from '../../worker-agent/run-processes.ts';
import { CLAIMER, fileOf, RUNNER, SERVICE, type Fleet, type FleetVm } from '../support/fleet.ts';

const GROUPS = '/sys/fs/cgroup';

/** One worker on each VM and nothing else; records and Nomad agree. */
export async function nothingStrays({ cluster, appliance, vms }: Fleet): Promise<void> {
  const all: { JobID: string; NodeName: string; ClientStatus: string }[] = await cluster.call(
    'GET',
    'allocations',
  );
  const live = all
    .filter(({ ClientStatus }) => !['complete', 'failed', 'lost'].includes(ClientStatus))
    .map(({ JobID, NodeName, ClientStatus }) => `${JobID} on ${NodeName}: ${ClientStatus}`);
  const expected = vms.map(({ name }) => `autocode-worker on ${name}: running`);
  assert.deepEqual(live.toSorted(), expected.toSorted(), 'allocations');
  for (const vm of vms) {
    assert.deepEqual(processesOf(vm), [CLAIMER, SERVICE], `processes on ${vm.name}`);
    assert.deepEqual(groupsOf(vm), [], `control groups on ${vm.name}`);
  }
  const differences = await appliance.api<FleetDifference[]>('POST', '/fleet/reconciliations', {
    dryRun: true,
  });
  assert.deepEqual(differences, []);
}

/** Programs of ours that run there, and what belongs to a run. */
function processesOf(vm: FleetVm): string[] {
  const programs = [CLAIMER, SERVICE, RUNNER].flatMap((program) => vm.pidsOf(program).map(() => program));
  const marked = vm.pids().filter((pid) => fileOf(pid, 'environ').includes(`${MARK_NAME}=`));
  return [...programs, ...marked.map((pid) => fileOf(pid, 'cmdline').replaceAll('\0', ' '))];
}

/** Those that were made for runs. */
function groupsOf(vm: FleetVm): string[] {
  return readdirSync(GROUPS)
    .flatMap((controller) => groupsBelow(path.join(GROUPS, controller, vm.name)))
    .filter((group) => path.basename(group).startsWith('autocode-'));
}

function groupsBelow(directory: string): string[] {
  const found = directoriesIn(directory).map((name) => path.join(directory, name));
  return [...found, ...found.flatMap(groupsBelow)];
}

function directoriesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return []; // the group has been removed
  }
}
