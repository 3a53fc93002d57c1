// What a program in a sandbox costs before it begins, beside the same program in a bare bwrap.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { bubblewrapHost } from '../worker-agent/sandbox/bubblewrap-host.ts';
import { openScratchConfined } from '../worker-agent/sandbox/scratch.ts';
import { tryWaysOut } from '../worker-agent/sandbox/self-test/quick.ts';
import { report } from './report.ts';

const TIMES = 60;
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

const run = promisify(execFile);
const host = await bubblewrapHost(process.env.PATH ?? '');
const sandbox = await openScratchConfined(host);

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** From the call to the program's first byte. */
async function begins(gateway: boolean): Promise<number> {
  const started = performance.now();
  const child = sandbox.spawn(['echo', 'begun'], { gateway });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const took = performance.now() - started;
  await child.exited;
  return took;
}

const middle = (times: number[]) => times.toSorted((a, b) => a - b)[times.length >> 1]!;
const bare: number[] = [];
const plain: number[] = [];
const withGateway: number[] = [];
const tests: number[] = [];
try {
  for (let index = 0; index < TIMES; index++) {
    bare.push(await timed(() => run(host.bwrap, BARE)));
    plain.push(await begins(false));
    withGateway.push(await begins(true));
    if (index % 6 === 0) tests.push(await timed(() => tryWaysOut(sandbox, [sandbox.directory])));
  }
} finally {
  await sandbox.close();
}
const ms = (times: number[]) => `${middle(times).toFixed(1)} ms`;
console.error(
  `bare: ${ms(bare)}; a verify command: ${ms(plain)}; an agent, with the way to the gateway: ${ms(withGateway)}; medians of ${TIMES}, taken in turns`,
);
report('sandbox', [
  {
    name: 'start of a verify command, beyond a bare bwrap',
    value: middle(plain) - middle(bare),
    unit: 'ms',
    atMost: 20,
  },
  {
    name: 'start of an agent, with the way to the gateway, beyond a bare bwrap',
    value: middle(withGateway) - middle(bare),
    unit: 'ms',
    atMost: 20,
  },
  { name: 'quick self-test', value: middle(tests), unit: 'ms', atMost: 50 },
]);
