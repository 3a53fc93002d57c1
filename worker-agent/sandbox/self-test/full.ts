// The full form of the self-test: the quick one, and what takes longer or fills something, each in a sandbox of its own with
// small limits. Used by `autocode worker selftest`.
import { existsSync } from 'node:fs';
import { readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processesOf } from '../../run-processes.ts';
import { processesInGroupsOf, type Limits } from '../cgroup.ts';
import type { ConfinedHost } from '../confined.ts';
import { openScratchConfined, type ScratchConfined } from '../scratch.ts';
import { tryGitTraps } from './git-traps.ts';
import { outputOf, tryWaysOut, type Finding } from './quick.ts';

type Answer = Omit<Finding, 'name'>;

interface Probe {
  name: string;
  limits?: Partial<Limits>;
  run(sandbox: ScratchConfined): Promise<Answer>;
}

const PIDS = 40;
const PATIENCE_MS = 2000;
const POLL_MS = 20;
const MEMORY_MB = 128;
const BOMB = `my $n = 0; while ($n < 500) { my $p = fork; last unless defined $p; if ($p == 0) { sleep 60; exit } $n++ } print $n; kill 9, -getpgrp`;

const PROBES: Probe[] = [
  {
    name: 'survivor of setsid',
    async run(sandbox) {
      await outputOf(
        sandbox.spawn(
          ['sh', '-c', '(setsid sh -c "trap \\"\\" TERM HUP; exec sleep 300" </dev/null >/dev/null 2>&1 &)'],
          {},
        ),
      );
      const left = await survivors(sandbox);
      return left.length === 0
        ? ok('ended with the program that started it')
        : escaped(`lives on: ${left.join(', ')}`);
    },
  },
  {
    name: 'fork bomb',
    limits: { pids: PIDS },
    async run(sandbox) {
      const { output } = await outputOf(sandbox.spawn(['perl', '-e', `$| = 1; ${BOMB}`], {}));
      const made = Number(output);
      return made < PIDS
        ? ok(`stopped at ${made} processes of ${PIDS}`)
        : escaped(`${made} processes where ${PIDS} are allowed`);
    },
  },
  {
    name: 'memory hog',
    limits: { memoryMb: MEMORY_MB },
    async run(sandbox) {
      const { output } = await outputOf(
        sandbox.spawn(
          [
            'perl',
            '-e',
            `$| = 1; my $all = ''; for (1..${4 * MEMORY_MB}) { $all .= 'x' x 1048576; print "." }`,
          ],
          {},
        ),
      );
      const taken = output.length;
      return taken <= MEMORY_MB
        ? ok(`stopped at ${taken} MB of ${MEMORY_MB}`)
        : escaped(`${taken} MB where ${MEMORY_MB} are allowed`);
    },
  },
  {
    name: 'memory hog, many at a time',
    limits: { memoryMb: MEMORY_MB },
    async run(sandbox) {
      const part = 'perl -e \'my $all = "x" x (48 << 20); print "."; close STDOUT; sleep 2\'';
      const { output } = await outputOf(
        sandbox.spawn(['sh', '-c', `${Array.from({ length: 8 }, () => `${part} &`).join(' ')} wait`], {}),
      );
      const taken = output.length * 48;
      if (sandbox.notices.length > 0)
        return {
          result: 'not-tried',
          detail: 'without a control group each process has the limit for itself',
        };
      return taken <= MEMORY_MB
        ? ok(`stopped at ${taken} MB of ${MEMORY_MB}`)
        : escaped(`${taken} MB where ${MEMORY_MB} are allowed`);
    },
  },
  {
    name: 'disk filler',
    limits: { memoryMb: MEMORY_MB },
    async run(sandbox) {
      const { output } = await outputOf(
        sandbox.spawn(
          [
            'sh',
            '-c',
            `for at in /tmp /dev/shm; do dd if=/dev/zero of=$at/full bs=1M count=${2 * MEMORY_MB} 2>/dev/null; stat -c %s $at/full; rm $at/full; done`,
          ],
          {},
        ),
      );
      const most = Math.max(
        ...output
          .trim()
          .split('\n')
          .map((bytes) => Number(bytes) / 2 ** 20),
      );
      return most <= MEMORY_MB / 2
        ? ok(`stopped at ${most} MB`)
        : escaped(`${most} MB written where ${MEMORY_MB / 2} are allowed`);
    },
  },
  {
    name: 'symlinks out of the tree',
    async run(sandbox) {
      const victim = path.join(sandbox.directory, 'victim');
      await writeFile(victim, 'whole');
      await symlink(victim, path.join(sandbox.tree, 'link'));
      await symlink(sandbox.directory, path.join(sandbox.tree, 'up'));
      const { output } = await outputOf(
        sandbox.spawn(
          ['sh', '-c', 'echo broken > link; echo broken > up/victim; cat link up/victim; ls up ../../..'],
          {},
        ),
      );
      return output.includes('whole') || output.includes('victim')
        ? escaped(output.trim())
        : ok('lead nowhere inside');
    },
  },
  {
    name: "other runs' files",
    async run(sandbox) {
      const other = await realpath(path.dirname(sandbox.directory));
      const { output } = await outputOf(
        sandbox.spawn(
          ['sh', '-c', 'for each do ls -A "$each" 2>/dev/null; done', 'sh', other, homedir(), process.cwd()],
          {},
        ),
      );
      const seen = output.split('\n').filter(Boolean);
      return seen.length === 0 ? ok('not to be seen') : escaped(`to be seen: ${seen.slice(0, 5).join(', ')}`);
    },
  },
];

/** Tries everything; a way out is a finding, a sandbox that cannot be made an error. */
export async function selfTest(
  host: ConfinedHost,
  told: (finding: Finding) => void = () => {},
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const tell = (finding: Finding) => {
    findings.push(finding);
    told(finding);
  };
  const quick = await openScratchConfined(host);
  try {
    for (const finding of await tryWaysOut(quick, [quick.directory])) tell(finding);
    for (const finding of await tryGitTraps(quick)) tell(finding);
  } finally {
    await quick.close();
  }
  for (const { name, limits, run } of PROBES) {
    const sandbox = await openScratchConfined(host, limits === undefined ? {} : { limits });
    try {
      tell({ name, ...(await run(sandbox)) });
    } finally {
      await sandbox.close();
    }
    if (existsSync(sandbox.directory)) {
      const left = await readdir(sandbox.directory);
      tell({ name: `what is left of ${name}`, ...escaped(left.join(', ')) });
      await rm(sandbox.directory, { recursive: true, force: true });
    }
  }
  return findings;
}

// What a program leaves may need a moment to end. Processes inside gVisor are none of this machine: its own are in the group.
async function survivors(sandbox: ScratchConfined): Promise<number[]> {
  const giveUp = performance.now() + PATIENCE_MS;
  for (;;) {
    const left = [...processesOf(sandbox), ...(await processesInGroupsOf(sandbox.directory))];
    if (left.length === 0 || performance.now() > giveUp) return left;
    await delay(POLL_MS);
  }
}

function ok(detail: string): Answer {
  return { result: 'ok', detail };
}

function escaped(detail: string): Answer {
  return { result: 'escaped', detail };
}
