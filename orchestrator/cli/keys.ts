// `autocode key …` and `autocode model policy`.
import { z } from 'zod';
import { Key, NewKey } from '../../protocol/access.ts';
import { ModelPolicy } from '../../protocol/model.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { relativeTime } from './format.ts';
import { print, printJson, table } from './output.ts';
import { show } from './redraw.ts';

interface CreateArgs extends GlobalArgs {
  name: string;
  service: boolean;
  allow: string[];
  external: boolean;
  project: string | undefined;
  expires: number | undefined;
}

/** Makes a key and prints it: alone on stdout, so that a script can catch it. */
export async function createKey(args: CreateArgs): Promise<void> {
  const key = await connect(args).send('POST', '/keys', NewKey, {
    name: args.name,
    kind: args.service ? 'service' : 'person',
    models: args.allow,
    external: args.external,
    project: args.project,
    expiresInDays: args.expires,
  });
  if (args.json) return printJson(key);
  process.stderr.write(`Key ${key.id} for ${key.name}. It is shown this once; only its hash is kept.\n`);
  print(key.key);
}

/** Lists keys. */
export async function listKeys(args: GlobalArgs): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get('/keys', z.array(Key)), drawKeys);
}

/** Revokes a key. */
export async function revokeKey(args: GlobalArgs & { id: number }): Promise<void> {
  const key = await connect(args).send('DELETE', `/keys/${args.id}`, Key);
  if (args.json) return printJson(key);
  print(`Key ${key.id} (${key.name}) is revoked; the gateway refuses it within two seconds.`);
}

interface PolicyArgs extends GlobalArgs {
  project: string;
  allow: string[] | undefined;
  external: boolean | undefined;
  cacheAnswers: boolean | undefined;
  keepPrompts: boolean | undefined;
}

/** Shows a project's policy, changed by what was named. */
export async function modelPolicy(args: PolicyArgs): Promise<void> {
  const route = `/projects/${encodeURIComponent(args.project)}/models`;
  const { external, cacheAnswers, keepPrompts } = args;
  const allow = args.allow?.filter((name) => name !== '');
  const patch = { allow, external, cacheAnswers, keepPrompts };
  const client = connect(args);
  const changes = Object.values(patch).some((value) => value !== undefined);
  const policy = changes
    ? await client.send('PATCH', route, ModelPolicy, patch)
    : await client.get(route, ModelPolicy);
  if (args.json) return printJson(policy);
  const word = (yes: boolean) => (yes ? 'yes' : 'no');
  print(
    `Models of project ${args.project}:`,
    `  allowed            ${policy.allow.length === 0 ? 'all' : policy.allow.join(', ')}`,
    `  outside            ${word(policy.external)}`,
    `  answers are cached ${word(policy.cacheAnswers)}`,
    `  prompts are kept   ${word(policy.keepPrompts)}`,
  );
}

function drawKeys(keys: Key[]): string {
  if (keys.length === 0) return 'No keys.';
  return table(keys, [
    { title: 'ID', value: (key) => String(key.id), align: 'right' },
    { title: 'NAME', value: (key) => key.name },
    { title: 'KIND', value: (key) => key.kind },
    { title: 'PROJECT', value: (key) => key.project ?? '' },
    { title: 'MODELS', value: (key) => (key.models.length === 0 ? 'all' : key.models.join(', ')) },
    { title: 'OUTSIDE', value: (key) => (key.external ? 'yes' : '') },
    { title: 'USED', value: (key) => relativeTime(key.lastUsedAt) },
    { title: 'EXPIRES', value: (key) => relativeTime(key.expiresAt) },
    { title: 'REVOKED', value: (key) => relativeTime(key.revokedAt) },
  ]);
}
