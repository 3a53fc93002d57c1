// A program in place of nvidia-smi that plays recorded answers: a real process, which can also hang. For tests.
import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const RECORDED = join(import.meta.dirname, 'recorded');

/** What the program says from now on: names of recorded answers, or other texts. */
export interface Scene {
  gpus?: string;
  apps?: string;
  /** Asked with `-i`, for one card. */
  one?: string;
  exit?: number;
  hangs?: boolean;
  absent?: boolean;
}

export interface StandInSmi {
  program: string;
  /** Takes effect with the next start of the program. */
  play(scene: Scene): void;
  /** The words of each start. */
  asked(): string[];
  /** Processes that it started before it hung. */
  children(): number[];
  [Symbol.dispose](): void;
}

/** The text of a recorded answer. */
export function recorded(name: string): string {
  return readFileSync(join(RECORDED, name), 'utf8');
}

/** Makes the program. */
export function standInSmi(first: Scene): StandInSmi {
  const directory = mkdtempSync(join(tmpdir(), 'nvidia-smi-'));
  const program = join(directory, 'nvidia-smi');
  const log = join(directory, 'asked');
  const children = join(directory, 'children');
  for (const file of [log, children]) writeFileSync(file, '');
  const say = (name: string, text = '') => {
    writeFileSync(join(directory, name), text.endsWith('.txt') ? recorded(text) : text);
    return `cat '${join(directory, name)}'`;
  };
  let version = 0;
  const play = ({ gpus, apps, one, exit = 0, hangs = false, absent = false }: Scene) => {
    if (absent) return rmSync(program, { force: true });
    const own = (version += 1);
    const script = [
      '#!/bin/sh',
      `echo "$*" >> '${log}'`,
      ...(hangs ? ["trap '' TERM", 'sleep 600 &', `echo $! >> '${children}'`, 'wait'] : []),
      'case "$*" in',
      `*--query-compute-apps*) ${say(`apps-${own}`, apps)}; exit 0 ;;`,
      `*' -i '*) ${say(`one-${own}`, one)}; exit 0 ;;`,
      'esac',
      say(`gpus-${own}`, gpus),
      `exit ${exit}`,
    ];
    writeFileSync(`${program}.next`, `${script.join('\n')}\n`);
    chmodSync(`${program}.next`, 0o755);
    renameSync(`${program}.next`, program);
  };
  play(first);
  return {
    program,
    play,
    asked: () => readFileSync(log, 'utf8').split('\n').filter(Boolean),
    children: () => readFileSync(children, 'utf8').split('\n').filter(Boolean).map(Number),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
