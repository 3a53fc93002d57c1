// What an environment is good for, found out by running its programs in a sandbox over it: whether there is a way out, whether Node and
// the installed agents start, which tools it has, whether a browser starts without a screen. Used by environment-cli.ts.
import { checkAgent } from '../../agents/check.ts';
import { installedAgents } from '../../agents/installed.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Sandbox } from '../sandbox.ts';
import { tryNode } from './node-inside.ts';
import { outputOf, tryWaysOut, verdict } from './quick.ts';

export interface Answer {
  name: string;
  /** `missing`: there is no such program, which may be as it should. */
  result: 'ok' | 'failed' | 'missing';
  detail: string;
}

/** Tools whose versions projects ask for, and how each says its own. */
export const TOOLS: Record<string, string[]> = {
  git: ['git', '--version'],
  node: ['node', '--version'],
  python: ['python3', '--version'],
  go: ['go', 'version'],
  rust: ['rustc', '--version'],
  java: ['java', '-version'],
  ruby: ['ruby', '--version'],
  php: ['php', '--version'],
  cc: ['cc', '--version'],
  make: ['make', '--version'],
};
/** Says where a program is, then what it says of itself. */
const ASK = 'command -v "$1" || exit 127; exec "$@"';
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** Its own sandbox needs what ours refuses; what it would put into shared memory fits, and there is no GPU. */
const BROWSER_FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--dump-dom'];
const PAGE = 'data:text/html,<p>works</p>';
const PATIENCE_MS = 60_000;

/** Asks all of it, one after the other; with `tools` alone only for their versions. */
export async function checkEnvironment(
  sandbox: Sandbox,
  {
    name,
    toolDir,
    outside,
    toolsOnly,
  }: { name: string; toolDir: string; outside: string; toolsOnly: boolean },
  tell: (answer: Answer) => void,
): Promise<void> {
  if (!toolsOnly) {
    tell(
      await answerOf('isolation', async () => verdict(await tryWaysOut(sandbox, [outside]), sandbox.kind)),
    );
    tell(await answerOf('Node of the agents', async () => await tryNode(sandbox, name)));
    for (const agent of await installedAgents(toolDir)) {
      if (agent.name === 'command') continue;
      const { ok, detail } = await checkAgent(agent.name, { toolDir, sandbox });
      tell({ name: `agent ${agent.name}`, result: ok ? 'ok' : 'failed', detail });
    }
  }
  for (const [tool, argv] of Object.entries(TOOLS)) tell(await versionOf(sandbox, tool, argv));
  if (!toolsOnly) tell(await browserOf(sandbox));
}

async function answerOf(name: string, ask: () => Promise<string>): Promise<Answer> {
  try {
    return { name, result: 'ok', detail: await ask() };
  } catch (error) {
    if (!(error instanceof AutocodeError)) throw error;
    return { name, result: 'failed', detail: [error.message, error.remedy].filter(Boolean).join(' ') };
  }
}

async function versionOf(sandbox: Sandbox, tool: string, argv: string[]): Promise<Answer> {
  const { output, errors, code } = await within(sandbox, ['sh', '-c', ASK, 'sh', ...argv]);
  const [where = '', line = ''] = `${output}${errors}`.split('\n');
  if (where === sandbox.node)
    return {
      name: tool,
      result: 'missing',
      detail: `none of its own; runs find that of the agents, ${line}`,
    };
  if (code === 127) return { name: tool, result: 'missing', detail: `no ${argv[0]}` };
  return { name: tool, result: code === 0 ? 'ok' : 'failed', detail: line };
}

async function browserOf(sandbox: Sandbox): Promise<Answer> {
  const name = 'browser';
  for (const program of BROWSERS) {
    const { output, errors, code } = await within(sandbox, [program, ...BROWSER_FLAGS, PAGE]);
    if (code === 127) continue;
    if (output.includes('<p>works</p>'))
      return { name, result: 'ok', detail: `${program} starts with ${BROWSER_FLAGS.slice(0, -1).join(' ')}` };
    return {
      name,
      result: 'failed',
      detail: `${program}: ${errors.split('\n').at(-1) || `exit code ${code}`}`,
    };
  }
  return { name, result: 'missing', detail: `none of ${BROWSERS.join(', ')}` };
}

async function within(sandbox: Sandbox, argv: string[]): ReturnType<typeof outputOf> {
  const child = sandbox.spawn(argv, { env: { XDG_RUNTIME_DIR: '/tmp' } });
  const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  return await outputOf(child).finally(() => clearTimeout(late));
}
