// How long a program takes to begin in a sandbox of ours and in a bare bwrap or runsc. Used by the benchmarks of sandbox and fleet.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { gvisorPath } from '../../test/support/gvisor.ts';
import { bubblewrapHost } from '../../worker-agent/sandbox/bubblewrap-host.ts';
import type { ConfinedHost } from '../../worker-agent/sandbox/confined.ts';
import { containerHost } from '../../worker-agent/sandbox/container-host.ts';
import { offeredIsolations } from '../../worker-agent/sandbox/offer.ts';
import { openScratchConfined } from '../../worker-agent/sandbox/scratch.ts';
import { tryWaysOut } from '../../worker-agent/sandbox/self-test/quick.ts';
import type { Measurement } from '../report.ts';
import { middle } from './measure.ts';

const BARE = [
  '--unshare-all',
  '--die-with-parent',
  '--ro-bind',
  '/usr',
  '/usr',
  '--symlink',
  'usr/bin',
  '/bin',
  '--symlink',
  'usr/lib',
  '/lib',
  '--symlink',
  'usr/lib64',
  '/lib64',
  '--proc',
  '/proc',
  '--dev',
  '/dev',
  '/usr/bin/true',
];

const TIMES = 40;

const run = promisify(execFile);

/** Each answers with milliseconds. */
export interface SandboxStarts {
  bare(): Promise<number>;
  /** From the call to the program's first byte; with the way to the gateway, as an agent has it, or without. */
  own(gateway: boolean): Promise<number>;
  selfTest(): Promise<number>;
  close(): Promise<void>;
}

/** Opens a sandbox as runs have it, by bubblewrap. */
export async function openSandboxStarts(): Promise<SandboxStarts> {
  const host = await bubblewrapHost(process.env.PATH ?? '');
  return await startsOf(host, async () => await run(host.bwrap, BARE));
}

/** Medians, in turns: bare, of a program without a way out, of an agent. */
export async function medianStarts(
  open: () => Promise<SandboxStarts>,
): Promise<{ bare: number; plain: number; own: number }> {
  const times = { bare: [] as number[], plain: [] as number[], own: [] as number[] };
  const starts = await open();
  try {
    for (let i = 0; i < TIMES; i++) {
      times.bare.push(await starts.bare());
      times.plain.push(await starts.own(false));
      times.own.push(await starts.own(true));
    }
  } finally {
    await starts.close();
  }
  return { bare: middle(times.bare), plain: middle(times.plain), own: middle(times.own) };
}

/** What gVisor adds, where there is a runsc. */
export async function gvisorGoals(): Promise<Measurement[]> {
  const { isolations } = await offeredIsolations(gvisorPath);
  if (!isolations.includes('gvisor')) {
    console.error('gVisor: there is no runsc, see scripts/servers/gvisor/build');
    return [];
  }
  const { bare, plain, own } = await medianStarts(openGvisorStarts);
  const ms = (time: number) => `${time.toFixed(0)} ms`;
  console.error(`gVisor: bare ${ms(bare)}, a verify command's ${ms(plain)}, an agent's ${ms(own)}`);
  return [
    {
      name: 'start of a verify command in gVisor, over a bare runsc, p50',
      value: plain / bare,
      unit: 'times',
      atMost: 1.5,
    },
  ];
}

async function openGvisorStarts(): Promise<SandboxStarts> {
  const host = await containerHost('gvisor', gvisorPath);
  const [runsc = ''] = host.command;
  const state = await mkdtemp(path.join(tmpdir(), 'autocode-runsc-'));
  const words = ['--platform=systrap', '--network=none', '--ignore-cgroups', `--root=${state}`, 'do', 'true'];
  const starts = await startsOf(host, async () => await run(runsc, words));
  return {
    ...starts,
    async close() {
      await starts.close();
      await rm(state, { recursive: true });
    },
  };
}

async function startsOf(host: ConfinedHost, bare: () => Promise<unknown>): Promise<SandboxStarts> {
  const sandbox = await openScratchConfined(host);
  return {
    bare: async () => await timed(bare),
    async own(gateway) {
      const started = performance.now();
      const child = sandbox.spawn(['echo', 'begun'], { gateway });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const took = performance.now() - started;
      await child.exited;
      return took;
    },
    selfTest: async () => await timed(async () => await tryWaysOut(sandbox, [sandbox.directory])),
    close: async () => await sandbox.close(),
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
