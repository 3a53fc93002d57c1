// The agents of a tool directory from the command line; `autocode agent …` runs it as a child process, since the
// orchestrator imports nothing of the worker.
// usage: node cli.ts list|install|check|upgrade [NAME…] --tool-dir DIR [--state-dir DIR] [--dry-run] [--json]
// With --json each line is one object: {"progress":…}, at last {"agents":[…]}, {"installed":…}, {"check":…}, {"upgrades":[…]} or
// {"error":…}.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { AutocodeError, ERRORS } from '../../protocol/errors.ts';
import { AGENT_NAMES, AGENTS, type AgentEntry, knownAgent } from './catalogue.ts';
import { bringIt, installedAgents } from './installed.ts';

const USAGE =
  'usage: node worker-agent/agents/cli.ts list|install|check|upgrade [NAME…] --tool-dir DIR [--state-dir DIR] [--dry-run] [--json]';

interface Request {
  verb: string;
  names: string[];
  toolDir: string;
  /** What the worker keeps of its runs: an old version that one of them uses stays. */
  stateDir: string | null;
  dryRun: boolean;
}

/** One answer: an object for programs, text for people. */
type Say = (object: Record<string, unknown>, text: string) => void;

function readArguments(): Request {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'tool-dir': { type: 'string' },
      'state-dir': { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const [verb, ...names] = positionals;
  const toolDir = values['tool-dir'];
  if (!verb || !toolDir || (verb !== 'upgrade' && names.length > 1))
    throw new AutocodeError('ERR_INVALID_INPUT', USAGE);
  const stateDir = values['state-dir'] ?? null;
  return { verb, names, toolDir: resolve(toolDir), stateDir, dryRun: values['dry-run'] };
}

async function list(toolDir: string, say: Say): Promise<number> {
  const installed = new Set((await installedAgents(toolDir)).map(({ name }) => name));
  const agents = AGENT_NAMES.map((name) => ({
    name,
    ...(AGENTS[name] as AgentEntry),
    installed: installed.has(name),
    ...(AGENTS[name].install === 'user' ? { howToInstall: bringIt(name, toolDir) } : {}),
  }));
  const lines = agents.map(({ name, title, version, install, installed: is, howToInstall }) => {
    const how = howToInstall ?? `autocode agent install ${name}`;
    const state = install === null ? 'built in' : is ? 'installed' : `not installed: ${how}`;
    return `${name.padEnd(16)} ${(version ?? '-').padEnd(8)} ${title} (${state})`;
  });
  say({ agents }, lines.join('\n'));
  return 0;
}

async function install(name: string, toolDir: string, say: Say): Promise<number> {
  const { findNpm, installAgent } = await import('./install.ts');
  const { directory, installed } = await installAgent(name, {
    toolDir,
    npm: findNpm(),
    progress: (text) => say({ progress: text }, text),
  });
  const { title, version } = AGENTS[knownAgent(name)];
  say(
    { installed: { name, version, directory, fresh: installed } },
    `${title} ${version} is ${installed ? '' : 'already '}installed in ${directory}`,
  );
  return 0;
}

async function upgrade({ names, toolDir, stateDir, dryRun }: Request, say: Say): Promise<number> {
  const { findNpm } = await import('./install.ts');
  const { upgradeAgents } = await import('./upgrade.ts');
  const progress = (text: string) => say({ progress: text }, text);
  const upgrades = await upgradeAgents(names, { toolDir, stateDir, dryRun, npm: findNpm(), progress });
  const lines = upgrades.map(({ name, to, done, removed, kept }) => {
    const old = [
      ...removed.map((version) => `${version} removed`),
      ...kept.map((version) => `${version} in use`),
    ];
    return [`${name} ${to} ${done}`, ...old].join(', ');
  });
  say({ upgrades }, lines.join('\n') || 'no agent is installed');
  return 0;
}

async function check(name: string, toolDir: string, say: Say): Promise<number> {
  knownAgent(name);
  const { checkAgent } = await import('./check.ts');
  const { openScratchSandbox } = await import('./scratch.ts');
  const sandbox = await openScratchSandbox('http://127.0.0.1:9', { toolDir });
  try {
    const result = await checkAgent(name, { toolDir, sandbox });
    say({ check: { name, ...result } }, `${name}: ${result.ok ? 'ok' : 'not ok'}: ${result.detail}`);
    return result.ok ? 0 : 1;
  } finally {
    await sandbox.close();
  }
}

async function main(): Promise<number> {
  const json = process.argv.includes('--json');
  const say: Say = (object, text) => console.log(json ? JSON.stringify(object) : text);
  try {
    const request = readArguments();
    const { verb, toolDir } = request;
    const [name] = request.names;
    if (verb === 'list') return await list(toolDir, say);
    if (verb === 'upgrade') return await upgrade(request, say);
    if (verb === 'install') return await install(named(name, verb), toolDir, say);
    if (verb === 'check') return await check(named(name, verb), toolDir, say);
    throw new AutocodeError('ERR_INVALID_INPUT', `There is no verb "${verb}". ${USAGE}`);
  } catch (error) {
    return fail(error, json);
  }
}

function named(name: string | undefined, verb: string): string {
  if (name !== undefined) return name;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `Which agent? ${USAGE.replace('list|install|check|upgrade [NAME…]', `${verb} NAME`)}`,
    {
      remedy: `Use one of: ${AGENT_NAMES.join(', ')}.`,
    },
  );
}

function fail(error: unknown, json: boolean): number {
  const known =
    error instanceof AutocodeError
      ? error
      : new AutocodeError(
          isArgumentError(error) ? 'ERR_INVALID_INPUT' : 'ERR_INTERNAL',
          String((error as Error).message ?? error),
        );
  const { code, message, remedy } = known;
  if (json) console.log(JSON.stringify({ error: { code, message, remedy } }));
  else console.error(remedy ? `${message}\n${remedy}` : message);
  return ERRORS[code].exit;
}

function isArgumentError(error: unknown): boolean {
  return String((error as { code?: string }).code).startsWith('ERR_PARSE_ARGS');
}

process.exitCode = await main();
