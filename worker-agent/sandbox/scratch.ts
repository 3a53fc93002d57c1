// A sandbox that confines over temporary directories, outside a run: for the self-test, the benchmark and tests.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Limits } from './cgroup.ts';
import { openConfinedSandbox, type ConfinedHost, type ConfinedOptions } from './confined.ts';
import type { EnvironmentRoot } from './environment-root.ts';
import type { Sandbox } from './sandbox.ts';

export interface ScratchConfined extends Sandbox {
  /** Its directories outside: all of it, and the work tree. */
  directory: string;
  tree: string;
  /** Marks the environment of every process in it. */
  mark: string;
}

export interface ScratchOptions {
  /** What the port inside leads to; nothing when left out. */
  gatewayUrl?: string;
  toolDir?: string;
  limits?: Partial<Limits>;
  environment?: EnvironmentRoot;
  egress?: NonNullable<ConfinedOptions['egress']>;
}

const LIMITS: Limits = { memoryMb: 2048, pids: 512, cpus: 0 };

/** Opens one with an empty work tree; close() removes it. */
export async function openScratchConfined(
  host: ConfinedHost,
  { gatewayUrl = 'http://127.0.0.1:9', toolDir, limits = {}, environment, egress }: ScratchOptions = {},
): Promise<ScratchConfined> {
  const directory = await realpath(await mkdtemp(path.join(tmpdir(), 'autocode-box-')));
  const tree = path.join(directory, 'tree');
  const tools = toolDir ?? path.join(directory, 'tools');
  await mkdir(tree);
  if (toolDir === undefined) await mkdir(tools);
  const gatewaySocket = path.join(directory, 'gateway.sock');
  const { hostname, port } = new URL(gatewayUrl);
  const relay = net.createServer((near) => {
    const far = net.connect({ host: hostname, port: Number(port) });
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  relay.listen(gatewaySocket);
  await once(relay, 'listening');
  await chmod(gatewaySocket, 0o600);
  const mark = randomUUID();
  const sandbox = await openConfinedSandbox(host, {
    run: 'scratch',
    name: 'work',
    runDirectory: directory,
    tree,
    home: path.join(directory, 'home'),
    lenders: [],
    toolDir: tools,
    toolchains: [],
    environment: environment ?? null,
    gatewaySocket,
    egress: egress ?? null,
    limits: { ...LIMITS, ...limits },
    mark,
  });
  return {
    ...sandbox,
    directory,
    tree,
    mark,
    async close() {
      await sandbox.close();
      relay.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
