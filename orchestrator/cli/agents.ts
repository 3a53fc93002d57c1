// `autocode agent …`: the worker's own tool for agents, on the data directory's tool folder. Used by the demo and doctor too.
import { z } from 'zod';
import { AutocodeError, ErrorBody, errorFromBody } from '../../protocol/errors.ts';
import { dataPath, openDataDirectory } from '../config/data-directory.ts';
import { Exit, type GlobalArgs } from './command.ts';
import { oneLine } from './format.ts';
import { paint, print, printJson, table } from './output.ts';
import { readPart } from './part.ts';
import { loadSettings, type SettingsArgs } from './settings.ts';
import { openScreen } from './watch/screen.ts';

const TOOL = 'worker-agent/agents/cli.ts';

const Agent = z.object({
  name: z.string(),
  title: z.string(),
  kind: z.string(),
  version: z.string().nullable(),
  install: z.string().nullable(),
  installed: z.boolean(),
  protocol: z.string().nullable(),
  tested: z.enum(['real', 'fixture']),
  howToInstall: z.string().optional(),
});
export type Agent = z.infer<typeof Agent>;

const Installed = z.object({
  name: z.string(),
  version: z.string().nullable(),
  directory: z.string(),
  fresh: z.boolean(),
});
const Upgrade = z.object({
  name: z.string(),
  from: z.array(z.string()),
  to: z.string(),
  done: z.enum(['installed', 'up-to-date']),
  removed: z.array(z.string()),
  kept: z.array(z.string()),
});
const Checked = z.object({
  name: z.string(),
  ok: z.boolean(),
  version: z.string().nullable(),
  detail: z.string(),
});

/** What a line of the tool says: how far it is, or its answer. */
const ToolLine = z.object({
  progress: z.string().optional(),
  agents: z.array(Agent).optional(),
  installed: Installed.optional(),
  check: Checked.optional(),
  upgrades: z.array(Upgrade).optional(),
});
type ToolLine = z.infer<typeof ToolLine>;

/** Lists the known agents. */
export async function listAgents(args: GlobalArgs): Promise<void> {
  const agents = await knownAgents(args);
  if (args.json) return printJson(agents);
  print(
    table(agents, [
      { title: 'AGENT', value: (agent) => agent.name },
      { title: 'VERSION', value: (agent) => agent.version ?? '-' },
      { title: 'KIND', value: (agent) => agent.kind },
      { title: 'INSTALLED', value: installedWord, style: (agent) => (agent.installed ? 'green' : undefined) },
      { title: 'SPEAKS', value: (agent) => agent.protocol ?? '-' },
      { title: 'TESTED', value: (agent) => TESTED[agent.tested] },
      { title: 'WHAT IT IS', value: (agent) => agent.title },
    ]),
  );
}

/** Brings the installed agents, or those that are named, to this release's versions. */
export async function upgradeAgents(args: GlobalArgs & { agents: string[]; dryRun: boolean }): Promise<void> {
  const screen = openScreen(process.stderr);
  let now = 'starting';
  screen.status(() => now);
  try {
    const state = dataPath(loadSettings(args).config.dataDir, 'worker');
    const words = [...toolDirectory(args), '--state-dir', state, ...(args.dryRun ? ['--dry-run'] : [])];
    const { upgrades = [] } = await tool(['upgrade', ...args.agents, ...words], (text) => (now = text));
    screen.close();
    if (args.json) return printJson(upgrades);
    if (upgrades.length === 0) print('No agent is installed. See `autocode agent list`.');
    for (const each of upgrades) print(upgradeWords(each, args.dryRun));
  } finally {
    screen.close();
  }
}

function upgradeWords({ name, to, done, removed, kept }: z.infer<typeof Upgrade>, dryRun: boolean): string {
  const would = dryRun ? 'would be ' : '';
  return [
    done === 'installed' ? `${name} ${to} ${dryRun ? would : 'is '}installed` : `${name} ${to} is up to date`,
    ...removed.map((version) => `${version} ${dryRun ? would : 'is '}removed`),
    ...kept.map((version) => `${version} stays for now: a run uses this agent`),
  ].join('; ');
}

/** Installs an agent. */
export async function installAgent(args: GlobalArgs & { agent: string }): Promise<void> {
  const screen = openScreen(process.stderr);
  let now = 'starting';
  screen.status(() => `${args.agent}: ${now}`);
  try {
    const installed = await install(args, args.agent, (text) => (now = text));
    screen.close();
    if (args.json) return printJson(installed);
    print(
      `${installed.name} ${installed.version ?? ''} is ${installed.fresh ? '' : 'already '}installed in ${installed.directory}.`,
    );
  } finally {
    screen.close();
  }
}

/** Starts agents to see whether they answer: one, or all that are installed; exit code 1 if one does not. */
export async function checkAgent(args: GlobalArgs & { agent: string | undefined }): Promise<void> {
  const names =
    args.agent === undefined
      ? (await knownAgents(args)).filter((agent) => agent.installed).map((agent) => agent.name)
      : [args.agent];
  const checks: z.infer<typeof Checked>[] = [];
  for (const name of names) {
    const { check } = await tool(['check', name, ...toolDirectory(args)], () => {});
    if (check !== undefined) checks.push(check);
  }
  if (args.json) printJson(checks);
  else if (checks.length === 0) print('No agent is installed. See `autocode agent list`.');
  else
    for (const { name, ok, detail } of checks)
      print(`${ok ? paint('green', '✓') : paint('red', '✗')} ${name}: ${detail}`);
  if (checks.some(({ ok }) => !ok)) throw new Exit(1);
}

/** The agents that there are, and which are installed here. */
export async function knownAgents(args: SettingsArgs): Promise<Agent[]> {
  return (
    (await tool(['list', '--tool-dir', dataPath(loadSettings(args).config.dataDir, 'agents')], () => {}))
      .agents ?? []
  );
}

/** Installs an agent unless it is there. */
export async function install(
  args: SettingsArgs,
  name: string,
  progress: (text: string) => void,
): Promise<z.infer<typeof Installed>> {
  const { installed } = await tool(['install', name, ...toolDirectory(args)], progress);
  if (installed !== undefined) return installed;
  throw new AutocodeError('ERR_AGENT_MISSING', `${name} could not be installed.`, {
    remedy: 'It needs the package registry once.',
  });
}

function toolDirectory(args: SettingsArgs): string[] {
  return ['--tool-dir', openDataDirectory(loadSettings(args).config.dataDir).path('agents')];
}

const TESTED = { real: 'with the program', fixture: 'with a stand-in only' };

function installedWord(agent: Agent): string {
  if (agent.install === null) return 'built in';
  return agent.installed ? 'yes' : 'no';
}

/** Runs the tool and gives its answer; its error becomes ours. */
async function tool(words: string[], progress: (text: string) => void): Promise<ToolLine> {
  let answer: ToolLine | undefined;
  let failure: AutocodeError | undefined;
  const code = await readPart(TOOL, [...words, '--json'], (line) => {
    const said = parse(line);
    const refused = ErrorBody.safeParse(said);
    const known = ToolLine.safeParse(said);
    if (refused.success) failure = errorFromBody(refused.data, 500);
    else if (known.success && known.data.progress !== undefined) progress(oneLine(known.data.progress));
    else if (known.success) answer = known.data;
  });
  if (failure !== undefined) throw failure;
  if (answer !== undefined) return answer;
  throw new AutocodeError('ERR_INTERNAL', `The agents' tool ended without an answer (exit code ${code}).`);
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
