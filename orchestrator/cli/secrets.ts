// `autocode secret …` by the daemon's API.
import { randomBytes } from 'node:crypto';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { RevealedSecret, Secret, SecretWritten } from '../../protocol/secret.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { relativeTime } from './format.ts';
import { block, print, printJson, table } from './output.ts';
import { show } from './redraw.ts';
import { readValue, readWhole } from './secret-value.ts';

type Client = ReturnType<typeof connect>;

/** Keeps a value: from a file, from stdin, or typed without being shown. */
export async function setSecret(
  args: GlobalArgs & { name: string; file: string | undefined },
): Promise<void> {
  const value = await readValue(args.name, args.file);
  tellWritten(args, await write(connect(args), args.name, { value }));
}

/** Puts a new value in the place of one that is there. */
export async function rotateSecret(
  args: GlobalArgs & { name: string; file: string | undefined; generate: boolean },
): Promise<void> {
  const { name, file, generate } = args;
  const client = connect(args);
  const [newest] = await client.get(`${pathOf(name)}/history`, z.array(Secret));
  const value = generate ? randomBytes(32).toString('base64url') : await readValue(name, file);
  tellWritten(args, await write(client, name, { value, expectedVersion: newest?.version ?? 0 }));
}

/** Shows that a secret is there; its value only when that is asked for. */
export async function getSecret(args: GlobalArgs & { name: string; reveal: boolean }): Promise<void> {
  const client = connect(args);
  if (args.reveal) {
    const revealed = await client.send('POST', `${pathOf(args.name)}/reveal`, RevealedSecret);
    if (args.json) return printJson(revealed);
    return print(revealed.value);
  }
  const [newest] = await client.get(`${pathOf(args.name)}/history`, z.array(Secret));
  if (args.json) return printJson(newest);
  print(
    block([
      ['name', args.name],
      ['version', String(newest?.version)],
      ['written', relativeTime(newest!.createdAt)],
      ['value', '•••••••• (--reveal shows it, which is recorded)'],
    ]),
  );
}

/** Lists names and versions. */
export async function listSecrets(args: GlobalArgs): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get('/secrets', z.array(Secret)), draw);
}

/** Lists the versions of one. */
export async function secretHistory(args: GlobalArgs & { name: string }): Promise<void> {
  const versions = await connect(args).get(`${pathOf(args.name)}/history`, z.array(Secret));
  if (args.json) return printJson(versions);
  print(draw(versions));
}

/** Removes a secret with all its versions. */
export async function deleteSecret(args: GlobalArgs & { name: string }): Promise<void> {
  const secret = await connect(args).send('DELETE', pathOf(args.name), Secret);
  if (args.json) return printJson(secret);
  print(`Secret ${secret.name} is gone, with all its versions.`);
}

/** Keeps all values of a dotenv or JSON file; those that are there already stay, unless they are to be replaced. */
export async function importSecrets(
  args: GlobalArgs & { file: string; prefix: string; replace: boolean },
): Promise<void> {
  const values = valuesOf(readWhole(args.file), args.file);
  const client = connect(args);
  const there = new Set((await client.get('/secrets', z.array(Secret))).map(({ name }) => name));
  const done: { name: string; what: string; notice: string | null }[] = [];
  for (const [key, value] of values) {
    const name = args.prefix + key;
    if (there.has(name) && !args.replace) {
      done.push({ name, what: 'left: it is there', notice: null });
      continue;
    }
    const { version, notice } = await write(client, name, { value });
    done.push({ name, what: `kept, version ${version}`, notice });
  }
  if (args.json) return printJson(done);
  print(
    table(done, [
      { title: 'NAME', value: ({ name }) => name },
      { title: 'WHAT', value: ({ what }) => what },
    ]),
  );
  for (const { name, notice } of done) tellNotice(name, notice);
}

function valuesOf(text: string, file: string): [name: string, value: string][] {
  const read = /^\s*\{/.test(text) ? parsedJson(text) : parseEnv(text);
  const checked = z.record(z.string(), z.string().min(1)).safeParse(read);
  const entries = checked.success ? Object.entries(checked.data) : [];
  if (entries.length > 0) return entries;
  throw new AutocodeError('ERR_INVALID_INPUT', `${file} holds no names with values.`, {
    remedy: 'Give lines NAME=value, or a JSON object whose values are texts, none of them empty.',
  });
}

// Without the parser's words, which quote what they stumble over.
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const pathOf = (name: string) => `/secrets/${encodeURIComponent(name)}`;

async function write(
  client: Client,
  name: string,
  body: { value: string; expectedVersion?: number },
): Promise<SecretWritten> {
  return await client.send('PUT', pathOf(name), SecretWritten, body);
}

function tellWritten(args: GlobalArgs, secret: SecretWritten): void {
  if (args.json) return printJson(secret);
  print(`Secret ${secret.name} is kept, version ${secret.version}.`);
  tellNotice(secret.name, secret.notice);
}

function tellNotice(name: string, notice: string | null): void {
  if (notice !== null)
    process.stderr.write(
      `warning: ${name} cannot be taken out of logs and prompts by its value: ${notice}\n`,
    );
}

function draw(secrets: Secret[]): string {
  if (secrets.length === 0) return 'No secrets.';
  return table(secrets, [
    { title: 'NAME', value: (secret) => secret.name },
    { title: 'VERSION', value: (secret) => String(secret.version), align: 'right' },
    { title: 'WRITTEN', value: (secret) => relativeTime(secret.createdAt) },
  ]);
}
