// `autocode project import`: many repositories of a forge become projects. May be repeated: those that are there are left alone.
import { matchesGlob } from 'node:path';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Forge, ImportableRepository } from '../../../protocol/forge.ts';
import { Project } from '../../../protocol/project.ts';
import { connect, type Client } from '../client.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { confirm } from '../confirm.ts';
import { print, printJson, table } from '../output.ts';
import { createProject } from './add.ts';
import { projectName } from './address.ts';
import { forgeChoice, type ForgeChoiceArgs } from './forge.ts';

interface Args extends GlobalArgs, ForgeChoiceArgs {
  from: string;
  owner: string | undefined;
  match: string | undefined;
  dryRun: boolean;
  yes: boolean;
}

type Outcome = 'would be registered' | 'registered' | 'there already' | 'archived' | 'failed';

interface Line {
  path: string;
  project: string | null;
  outcome: Outcome;
  reason: string | null;
}

/** Registers what the forge's credential can push to. Exit code 1 when one of them could not be. */
export async function importProjects(args: Args): Promise<void> {
  const client = connect(args);
  const forge = await forgeOf(client, args);
  const listed = await client.get(
    `/forges/${encodeURIComponent(forge.name)}/repositories`,
    z.array(ImportableRepository),
    { owner: args.owner },
  );
  const { match } = args;
  const wanted = match === undefined ? listed : listed.filter(({ path }) => matchesGlob(path, match));
  const fresh = wanted.filter(({ archived, project }) => !archived && project === null);
  if (fresh.length > 0 && !args.dryRun && !args.yes) await confirmed(fresh, forge);
  const lines = await registerAll(client, wanted, forge.name, args);
  const failed = lines.some(({ outcome }) => outcome === 'failed');
  if (args.json) printJson({ forge: forge.name, repositories: lines });
  else print(drawLines(lines, forge), ...(args.dryRun ? ['', 'Nothing was registered: --dry-run.'] : []));
  if (failed) throw new Exit(1);
}

/** The forge of that name or address; one that is not known yet is registered when a token comes for it. */
async function forgeOf(client: Client, args: Args): Promise<Forge> {
  const choice = forgeChoice(args);
  const isUrl = /^https?:\/\//.test(args.from);
  if (isUrl && choice?.token !== undefined)
    return await client.send('POST', '/forges', Forge, { ...choice, url: args.from });
  const known = await client.get('/forges', z.array(Forge));
  const url = args.from.replace(/\/+$/, '');
  const found = known.find((each) => (isUrl ? each.url === url : each.name === args.from));
  if (found !== undefined) return found;
  const names = known.map(({ name }) => name).join(', ');
  throw new AutocodeError('ERR_NOT_FOUND', `There is no forge ${args.from} here yet.`, {
    remedy: `${names === '' ? '' : `Known are ${names}. `}Give its address and a token: \`autocode project import https://… --forge-token-file FILE\`.`,
  });
}

async function confirmed(fresh: ImportableRepository[], { name }: Forge): Promise<void> {
  const repositories = `${fresh.length} repositories of ${name}`;
  await confirm(
    fresh.map(({ path }) => path),
    `Register these ${repositories}?`,
    {
      message: `${repositories} would be registered, and nobody is there to agree.`,
      remedy: 'Look at them with --dry-run, then give --yes.',
    },
  );
}

async function registerAll(
  client: Client,
  wanted: ImportableRepository[],
  forge: string,
  { dryRun, json }: Args,
): Promise<Line[]> {
  const taken = new Set((await client.get('/projects', z.array(Project))).map(({ name }) => name));
  const lines: Line[] = [];
  for (const { path, cloneUrl, archived, project } of wanted) {
    const line = (outcome: Outcome, name: string | null, reason: string | null = null) =>
      lines.push({ path, project: name, outcome, reason });
    if (project !== null) line('there already', project);
    else if (archived) line('archived', null);
    else {
      const name = freeName(path, taken);
      taken.add(name);
      if (dryRun) line('would be registered', name);
      else {
        if (!json) process.stderr.write(`[${lines.length + 1}/${wanted.length}] ${path}\n`);
        try {
          await createProject(client, { name, repository: cloneUrl, forge: { name: forge } });
          line('registered', name);
        } catch (error) {
          if (!(error instanceof AutocodeError) || error.code === 'ERR_DAEMON_NOT_RUNNING') throw error;
          line('failed', null, [error.message, error.remedy].filter(Boolean).join(' '));
        }
      }
    }
  }
  return lines;
}

/** The last part of a path, with what stands before it while the name is taken, then with a number. */
export function freeName(path: string, taken: ReadonlySet<string>): string {
  const parts = path.split('/');
  for (let from = parts.length - 1; from >= 0; from--) {
    const name = projectName(parts.slice(from).join('-'));
    if (!taken.has(name)) return name;
  }
  for (let number = 2; ; number++) {
    const name = `${projectName(parts.join('-')).slice(0, 58)}-${number}`;
    if (!taken.has(name)) return name;
  }
}

function drawLines(lines: Line[], { name }: Forge): string {
  if (lines.length === 0)
    return `No repository of ${name} fits, or its credential can push to none (docs/forges.md says what a token needs).`;
  return table(lines, [
    { title: 'REPOSITORY', value: ({ path }) => path },
    { title: 'PROJECT', value: ({ project }) => project ?? '-' },
    {
      title: 'OUTCOME',
      value: ({ outcome }) => outcome,
      style: ({ outcome }) => (outcome === 'failed' ? 'red' : outcome === 'registered' ? 'green' : undefined),
    },
    { title: 'WHY', value: ({ reason }) => reason ?? '' },
  ]);
}
