// Runs another part of Autocode as a child process: the worker and its agents live in a tree that the orchestrator does not import.
// Used by agents.ts and workers.ts.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inheritedEnvironment } from '../config/client-environment.ts';
import { Exit } from './command.ts';

const CHECKOUT = join(import.meta.dirname, '../..');

/**
 * Runs `node <entry> <words>` with this terminal; its exit code becomes ours. Ctrl-C reaches it as it reaches us; what is
 * sent to us alone, as by a service manager, is passed on.
 */
export async function runPart(
  entry: string,
  words: string[],
  env: Record<string, string> = {},
): Promise<void> {
  const ignore = () => {};
  process.on('SIGINT', ignore);
  const child = spawn(process.execPath, [join(CHECKOUT, entry), ...words], {
    stdio: 'inherit',
    env: { ...inheritedEnvironment(), ...env },
  });
  const passOn = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on('SIGTERM', passOn).on('SIGHUP', passOn);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (code !== 0) throw new Exit(code ?? (signal === 'SIGINT' ? 130 : 1));
  } finally {
    process.off('SIGINT', ignore).off('SIGTERM', passOn).off('SIGHUP', passOn);
  }
}

/** Runs it and gives its output line by line, as it comes; answers with the exit code. */
export async function readPart(
  entry: string,
  words: string[],
  line: (text: string) => void,
): Promise<number> {
  const child = spawn(process.execPath, [join(CHECKOUT, entry), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: inheritedEnvironment(),
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  let rest = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(line);
  }
  if (rest !== '') line(rest);
  return (await exited)[0] ?? 1;
}
