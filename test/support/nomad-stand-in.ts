// What stands for a Nomad where pages are tried: its HTTP API as far as the page leads to it, with two nodes, a deployment under way
// and three allocations. What a real one says is in test/integration/nomad.test.ts.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const JOB = 'autocode-worker';
const NODES = ['vm-1', 'vm-2'];
const START = Date.now() * 1e6;
const LOG = 'registered as vm-1\n\u001b[31mit is red\u001b[0m <img src=x onerror="window.tricked=1">\n';

export interface NomadStandIn {
  address: string;
  /** Nobody answers any more. */
  away(): Promise<void>;
}

/** Starts one on a port of its own. */
export async function startNomadStandIn(): Promise<NomadStandIn> {
  const allocations = [
    allocation(1, { node: 'vm-1', version: 3 }),
    allocation(2, { node: 'vm-2', version: 2 }),
    allocation(3, {
      node: 'vm-2',
      version: 3,
      failed: 'Exit Code: 2, Exit Message: "qwen-coder is not installed"',
    }),
  ];
  const server = createServer((request, response) => answer(request, response, allocations));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    away: async () => {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Allocation = ReturnType<typeof allocation>;

function answer({ url, method }: IncomingMessage, response: ServerResponse, allocations: Allocation[]): void {
  const { pathname } = new URL(url!, 'http://nomad');
  const [, what = '', id = '', part] = pathname.split('/').slice(1);
  const found = allocations.find((each) => pathname.includes(each.ID));
  if (pathname.startsWith('/v1/client/fs/logs/')) {
    response.write(pathname.endsWith(allocations[0]!.ID) ? LOG : '');
    return; // it is followed
  }
  const value =
    what === 'client' && found !== undefined
      ? { ResourceUsage: { MemoryStats: { Usage: 180 * 1024 * 1024 } } }
      : what === 'allocation' && method === 'POST' && found !== undefined
        ? stopped(found)
        : what === 'allocation'
          ? found
          : {
              nodes: () => NODES.map(node),
              allocations: () => allocations,
              job: () => jobPart(id, part, allocations),
            }[what as 'nodes']?.();
  response.statusCode = value === undefined ? 404 : 200;
  response.setHeader('content-type', 'application/json');
  response.end(value === undefined ? 'not found' : JSON.stringify(value));
}

function stopped(found: Allocation): object {
  found.DesiredStatus = 'stop';
  found.ClientStatus = 'complete';
  return { EvalID: 'e' };
}

function jobPart(id: string, part: string | undefined, allocations: Allocation[]): unknown {
  if (id !== JOB) return undefined;
  if (part === 'allocations') return allocations;
  if (part === 'evaluations') return [];
  if (part === 'deployment') {
    return {
      ID: 'd',
      JobID: JOB,
      JobVersion: 3,
      Status: 'running',
      StatusDescription: 'Deployment is running',
      TaskGroups: { agent: { DesiredTotal: 2, PlacedAllocs: 2, HealthyAllocs: 1, UnhealthyAllocs: 1 } },
      ModifyIndex: 7,
    };
  }
  return { ID: JOB, Type: 'service', Version: 3, Stop: false, TaskGroups: [{ Name: 'agent', Count: 2 }] };
}

function node(name: string): object {
  return {
    ID: `00000000-0000-0000-0000-0000000000${name.slice(-1)}0`,
    Name: name,
    Address: `10.77.0.1${name.slice(-1)}`,
    Datacenter: 'dc1',
    Version: '1.11.3',
    Status: 'ready',
    SchedulingEligibility: 'eligible',
    Drain: false,
    Drivers: { exec: { Detected: true, Healthy: true } },
    NodeResources: {
      Cpu: { CpuShares: 64_000, TotalCpuCores: 64 },
      Memory: { MemoryMB: 8192 },
      Disk: { DiskMB: 131_072 },
    },
  };
}

function allocation(
  index: number,
  { node: name, version, failed }: { node: string; version: number; failed?: string },
) {
  const event = (Type: string, DisplayMessage: string, ms: number) => ({
    Type,
    DisplayMessage,
    Time: START + ms * 1e6,
  });
  const last =
    failed === undefined ? event('Started', 'Task started by client', 2) : event('Terminated', failed, 3);
  return {
    ID: `${index}0000000-aaaa-bbbb-cccc-00000000000${index}`,
    Name: `${JOB}.agent[${index}]`,
    Namespace: 'default',
    JobID: JOB,
    JobVersion: version,
    TaskGroup: 'agent',
    NodeID: name,
    NodeName: name,
    DesiredStatus: 'run',
    ClientStatus: failed === undefined ? 'running' : 'failed',
    ClientDescription: '',
    DeploymentStatus: failed === undefined ? null : { Healthy: false },
    AllocatedResources: { Tasks: { claimer: { Memory: { MemoryMB: 512 } } } },
    TaskStates: {
      claimer: {
        State: failed === undefined ? 'running' : 'dead',
        Failed: failed !== undefined,
        Restarts: 0,
        Events: [event('Received', 'Task received by client', 1), last],
      },
    },
    CreateTime: START,
    ModifyTime: START + 5e6,
    ModifyIndex: 9,
  };
}
