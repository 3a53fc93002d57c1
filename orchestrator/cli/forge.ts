// `autocode forge …`.
import { z } from 'zod';
import { Forge, ForgeUse } from '../../protocol/forge.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { print, printJson, table } from './output.ts';
import { show } from './redraw.ts';

/** Lists forges. */
export async function listForges(args: GlobalArgs): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get('/forges', z.array(Forge)), drawForges);
}

/** Removes a forge with its secrets; with --dry-run says what uses it. */
export async function removeForge(args: GlobalArgs & { forge: string; dryRun: boolean }): Promise<void> {
  const path = `/forges/${encodeURIComponent(args.forge)}`;
  const client = connect(args);
  const use = args.dryRun ? await client.get(path, ForgeUse) : await client.send('DELETE', path, ForgeUse);
  if (args.json) return printJson(use);
  const { name, url, secrets } = use;
  if (args.dryRun) return print(...wouldBe(use), 'Nothing was changed (--dry-run).');
  print(
    `Forge ${name} is removed with its secrets ${secrets.join(' and ')}.`,
    `Revoke its token at ${url}, and remove its webhooks there: they are refused from now on.`,
  );
}

function wouldBe({ name, configured, projects, changes, sources, secrets }: ForgeUse): string[] {
  if (configured) return [`Forge ${name} is in the configuration, and is taken out there.`];
  const users = Object.entries({ projects, 'open changes': changes, sources })
    .filter(([, names]) => names.length > 0)
    .map(([word, names]) => `  ${word}: ${names.join(', ')}`);
  if (users.length > 0) return [`Forge ${name} would not be removed: it is used by`, ...users];
  return [`Forge ${name} would be removed with its secrets ${secrets.join(' and ')}.`];
}

function drawForges(forges: Forge[]): string {
  if (forges.length === 0) return 'No forges. One comes with the first project of it (docs/forges.md).';
  return table(forges, [
    { title: 'NAME', value: ({ name }) => name },
    { title: 'KIND', value: ({ kind }) => kind },
    { title: 'ADDRESS', value: ({ url }) => url },
    { title: 'FROM', value: ({ configured }) => (configured ? 'configuration' : 'registered') },
  ]);
}
