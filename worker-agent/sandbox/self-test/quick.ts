// The quick form of the self-test, at the start of each run: one program inside a sandbox that tries some twenty ways out.
// Used by the runner and by the full form.
import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { access, readFile, readlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Sandbox, SandboxProcess } from '../sandbox.ts';

export interface Finding {
  name: string;
  /** `not-tried`: what it takes to try is not on this machine. */
  result: 'ok' | 'escaped' | 'not-tried';
  detail: string;
}

const PERL = '/usr/bin/perl';
const NAMESPACES = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts'];

/** Tries them. `hidden` are paths of the host that must not be there. Never throws for a sandbox that does not start: it says so. */
export async function tryWaysOut(sandbox: Sandbox, hidden: string[]): Promise<Finding[]> {
  if (
    !(await access(PERL).then(
      () => true,
      () => false,
    ))
  ) {
    return [{ name: 'ways out', result: 'not-tried', detail: `${PERL}, which tries them, is not here` }];
  }
  const [script, ...host] = await Promise.all([
    readFile(path.join(import.meta.dirname, 'ways-out.pl'), 'utf8'),
    ...NAMESPACES.map(async (name) => await readlink(`/proc/self/ns/${name}`)),
  ]);
  const perl = await perlInside(sandbox);
  const child = sandbox.spawn([...perl, '-e', script, os.machine(), host.join(' '), ...hidden], {
    env: { LC_ALL: 'C' },
    egress: true,
  });
  const { output, errors } = await outputOf(child);
  const findings = output.split('\n').filter(Boolean).map(findingOf);
  if (findings.length > 0 && errors === '') return findings;
  throw new AutocodeError('ERR_SANDBOX', `The sandbox does not start: ${errors || 'it says nothing'}`, {
    remedy: 'See what is missing with `autocode worker selftest`.',
  });
}

// In an environment this machine's own, which finds its modules at another place then.
async function perlInside(sandbox: Sandbox): Promise<string[]> {
  const words = sandbox.hostProgram(PERL);
  const at = words.at(-1)!.slice(0, -realpathSync(PERL).length);
  if (words.length === 1) return words;
  const { stdout } = await promisify(execFile)(PERL, ['-e', 'print join ",", @INC'], { env: {} });
  return [...words, ...stdout.split(',').map((directory) => `-I${at}${directory}`)];
}

/** One line for the log of a run in such a sandbox; ERR_SANDBOX when there is a way out. */
export function verdict(findings: Finding[], kind: Sandbox['kind']): string {
  const escaped = findings.filter(({ result }) => result === 'escaped');
  if (escaped.length > 0) {
    const ways = escaped.map(({ name, detail }) => `${name} (${detail})`).join(', ');
    throw new AutocodeError('ERR_SANDBOX', `There is a way out of the sandbox: ${ways}.`, {
      remedy: 'Nothing is run on this machine until it is closed; `autocode worker selftest` tries them all.',
    });
  }
  const untried = findings.filter(({ result }) => result === 'not-tried').map(({ detail }) => detail);
  const tried = findings.length - untried.length;
  return `Isolation ${kind}: ${[`${tried} ways out tried, none is open`, ...untried].join('; ')}.`;
}

/** All that a program says. */
export async function outputOf(
  child: SandboxProcess,
): Promise<{ output: string; errors: string; code: number | null }> {
  const [output, errors, exit] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    child.exited,
  ]);
  return { output, errors: errors.trim(), code: exit.code };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function findingOf(line: string): Finding {
  const [name = '', state, detail = ''] = line.split('\t');
  return { name, result: state === 'closed' ? 'ok' : 'escaped', detail };
}
