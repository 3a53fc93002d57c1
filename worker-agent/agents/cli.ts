// The agents of a tool directory from the command line; `autocode agent …` runs it as a child process, since the
// orchestrator imports nothing of the worker.
// usage: node cli.ts list|install|check [NAME] --tool-dir DIR [--json]
// With --json each line is one object: {"progress":…}, at last {"agents":[…]}, {"installed":…}, {"check":…} or {"error":…}.
import { parseArgs } from 'node:util';
import { AutocodeError, ERRORS } from '../../protocol/errors.ts';
import { AGENT_NAMES, AGENTS, type AgentEntry, knownAgent } from './catalogue.ts';
import { installedAgents } from './installed.ts';

const USAGE = 'usage: node worker-agent/agents/cli.ts list|install|check [NAME] --tool-dir DIR [--json]';

interface Request {
  verb: string;
  name: string | undefined;
  toolDir: string;
}

/** One answer: an object for programs, text for people. */
type Say = (object: Record<string, unknown>, text: string) => void;

function readArguments(): Request {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'tool-dir': { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  const [verb, name, ...more] = positionals;
  const toolDir = values['tool-dir'];
  if (!verb || !toolDir || more.length > 0) throw new AutocodeError('ERR_INVALID_INPUT', USAGE);
  return { verb, name, toolDir };
}

async function list(toolDir: string, say: Say): Promise<number> {
  const installed = new Set((await installedAgents(toolDir)).map(({ name }) => name));
  const agents = AGENT_NAMES.map((name) => ({
    name,
    ...(AGENTS[name] as AgentEntry),
    installed: installed.has(name),
  }));
  const lines = agents.map(({ name, title, version, install, installed: is }) => {
    const state =
      install === null ? 'built in' : is ? 'installed' : `not installed: autocode agent install ${name}`;
    return `${name.padEnd(12)} ${(version ?? '-').padEnd(8)} ${title} (${state})`;
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
    const { verb, name, toolDir } = readArguments();
    if (verb === 'list') return await list(toolDir, say);
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
    `Which agent? ${USAGE.replace('list|install|check [NAME]', `${verb} NAME`)}`,
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
