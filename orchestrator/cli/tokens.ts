// `autocode token …`.
import { z } from 'zod';
import { NewToken, Token } from '../../protocol/access.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { relativeTime } from './format.ts';
import { print, printJson, table } from './output.ts';
import { show } from './redraw.ts';

interface CreateArgs extends GlobalArgs {
  name: string;
  role: string;
  expires: number | undefined;
}

/** Makes a token and prints it: alone on stdout, so that a script can catch it. */
export async function createToken(args: CreateArgs): Promise<void> {
  const input = { name: args.name, role: args.role, expiresInDays: args.expires };
  const token = await connect(args).send('POST', '/tokens', NewToken, input);
  if (args.json) return printJson(token);
  process.stderr.write(
    `Token ${token.id} (${token.role}) for ${token.name}. It is shown this once; only its hash is kept.\n`,
  );
  print(token.token);
}

/** Lists tokens. */
export async function listTokens(args: GlobalArgs): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get('/tokens', z.array(Token)), drawTokens);
}

/** Revokes a token. */
export async function revokeToken(args: GlobalArgs & { id: number }): Promise<void> {
  const token = await connect(args).send('DELETE', `/tokens/${args.id}`, Token);
  if (args.json) return printJson(token);
  print(`Token ${token.id} (${token.name}) is revoked.`);
}

function drawTokens(tokens: Token[]): string {
  if (tokens.length === 0) return 'No tokens.';
  return table(tokens, [
    { title: 'ID', value: (token) => String(token.id), align: 'right' },
    { title: 'NAME', value: (token) => token.name },
    { title: 'ROLE', value: (token) => token.role },
    { title: 'CREATED', value: (token) => relativeTime(token.createdAt) },
    { title: 'USED', value: (token) => relativeTime(token.lastUsedAt) },
    { title: 'EXPIRES', value: (token) => relativeTime(token.expiresAt) },
    { title: 'REVOKED', value: (token) => relativeTime(token.revokedAt) },
  ]);
}
