// The agents that Autocode knows, as plain data: cheap to import, no agent code behind it.
// Used by the factory, the installer, `cli.ts` and the worker's registration.
import { AutocodeError } from '../../protocol/errors.ts';

export interface AgentEntry {
  title: string;
  /**
   * `acp`: a CLI that speaks the Agent Client Protocol, by a launch profile. `cli`: one that is started for each turn, by a
   * profile of its output. `command`: any program.
   */
  kind: 'acp' | 'cli' | 'command';
  /** The one version that is installed and accepted; null where there is nothing to install. */
  version: string | null;
  /**
   * How the agent is obtained: `npm` or `pip`, from the lock in locks/<name>/; `user`: its maker's program, which the user puts
   * into `<tool directory>/<name>/`; null when the project names the program.
   */
  install: 'npm' | 'pip' | 'user' | null;
  /** The program that the user brings, where `install` is `user`. */
  program?: string;
  /** The agent whose installation it uses, when it has none of its own. */
  installedWith?: string;
  /** What its tests run: the program itself, or a stand-in that speaks what is documented of it. */
  tested: 'real' | 'fixture';
  /** What it speaks to the model gateway; null for whatever the user's program likes. */
  protocol: 'chat' | 'messages' | 'responses' | null;
}

export const AGENTS = {
  'qwen-coder': {
    title: 'Qwen Code',
    kind: 'acp',
    version: '0.24.4',
    install: 'npm',
    tested: 'real',
    protocol: 'chat',
  },
  'claude-code': {
    title: 'Claude Code',
    kind: 'acp',
    version: '2.1.316',
    install: 'npm',
    tested: 'real',
    protocol: 'messages',
  },
  'claude-code-cli': {
    title: 'Claude Code, its own command line',
    kind: 'cli',
    version: '2.1.316',
    install: 'npm',
    installedWith: 'claude-code',
    tested: 'real',
    protocol: 'messages',
  },
  codex: {
    title: 'Codex',
    kind: 'acp',
    version: '0.16.0',
    install: 'npm',
    tested: 'real',
    protocol: 'responses',
  },
  aider: { title: 'aider', kind: 'cli', version: '0.86.2', install: 'pip', tested: 'real', protocol: 'chat' },
  'cursor-cli': {
    title: "Cursor's command line",
    kind: 'cli',
    version: null,
    install: 'user',
    program: 'cursor-agent',
    tested: 'fixture',
    protocol: null,
  },
  command: {
    title: 'any program (task in, exit code out)',
    kind: 'command',
    version: null,
    install: null,
    tested: 'real',
    protocol: null,
  },
} as const satisfies Record<string, AgentEntry>;

export type AgentName = keyof typeof AGENTS;

export const AGENT_NAMES = Object.keys(AGENTS) as AgentName[];

/** The agent whose installation an agent uses: its own, mostly. */
export function installationOf(name: AgentName): AgentName {
  const { installedWith = name }: AgentEntry = AGENTS[name];
  return installedWith as AgentName;
}

/** The agents with a lock of their own. */
export const LOCKED_AGENTS = AGENT_NAMES.filter(
  (name): name is LockedAgent =>
    installationOf(name) === name && (AGENTS[name].install === 'npm' || AGENTS[name].install === 'pip'),
);
export type LockedAgent = {
  [Name in AgentName]: (typeof AGENTS)[Name] extends { install: 'npm' | 'pip'; installedWith?: never }
    ? Name
    : never;
}[AgentName];

/** The name when it is known; otherwise ERR_AGENT_UNKNOWN with the known ones and the nearest of them. */
export function knownAgent(name: string): AgentName {
  if (Object.hasOwn(AGENTS, name)) return name as AgentName;
  const near = AGENT_NAMES.find(
    (known) => distance(known, name.toLowerCase()) <= 2 || sharesWord(known, name.toLowerCase()),
  );
  throw new AutocodeError(
    'ERR_AGENT_UNKNOWN',
    `There is no agent "${name}"${near ? `; did you mean "${near}"?` : '.'}`,
    {
      remedy: `Use one of: ${AGENT_NAMES.join(', ')}.`,
      details: { known: AGENT_NAMES },
    },
  );
}

function sharesWord(known: string, name: string): boolean {
  const words = new Set(known.split(/[-._]/));
  return name.split(/[-._\s]/).some((word) => word.length > 2 && words.has(word));
}

/** Levenshtein distance: single-letter edits between two short words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
