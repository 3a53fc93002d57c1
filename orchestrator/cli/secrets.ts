// `autocode secret …`.
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { z } from 'zod';
import { Secret } from '../../protocol/secret.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { relativeTime } from './format.ts';
import { readSecret } from './model-server.ts';
import { print, printJson, table } from './output.ts';
import { show } from './redraw.ts';

/** Keeps a value: from a file, from stdin, or typed without being shown. */
export async function setSecret(
  args: GlobalArgs & { name: string; file: string | undefined },
): Promise<void> {
  const typed = args.file === undefined && process.stdin.isTTY;
  const value = typed ? await ask(`Value of ${args.name} (not shown): `) : readSecret(args.file ?? '-');
  const secret = await connect(args).send('PUT', `/secrets/${encodeURIComponent(args.name)}`, Secret, {
    value,
  });
  if (args.json) return printJson(secret);
  print(`Secret ${secret.name} is kept, version ${secret.version}.`);
}

/** Lists names and versions. */
export async function listSecrets(args: GlobalArgs): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get('/secrets', z.array(Secret)), draw);
}

/** Removes a secret with all its versions. */
export async function deleteSecret(args: GlobalArgs & { name: string }): Promise<void> {
  const secret = await connect(args).send('DELETE', `/secrets/${encodeURIComponent(args.name)}`, Secret);
  if (args.json) return printJson(secret);
  print(`Secret ${secret.name} is gone, with all its versions.`);
}

function draw(secrets: Secret[]): string {
  if (secrets.length === 0) return 'No secrets.';
  return table(secrets, [
    { title: 'NAME', value: (secret) => secret.name },
    { title: 'VERSION', value: (secret) => String(secret.version), align: 'right' },
    { title: 'WRITTEN', value: (secret) => relativeTime(secret.createdAt) },
  ]);
}

// Readline edits the line; what it would echo goes nowhere.
async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  const line = await new Promise<string>((resolve) => {
    lines.once('line', resolve);
    lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  });
  lines.close();
  process.stderr.write('\n');
  return line;
}
