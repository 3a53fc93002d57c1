// The agents that Autocode knows, as plain data: cheap to import, no agent code behind it.
// Used by the factory, the installer, `cli.ts` and the worker's registration.
import { AutocodeError } from '../../protocol/errors.ts';

export interface AgentEntry {
  title: string;
  /** `acp`: a CLI that speaks the Agent Client Protocol, by a launch profile. `command`: any program. */
  kind: 'acp' | 'command';
  /** The one version that is installed and accepted; null where there is nothing to install. */
  version: string | null;
  /** How the agent is obtained: `npm`, from the lock in locks/<name>/; null when the user brings the program. */
  install: 'npm' | null;
  /** What it speaks to the model gateway; null for whatever the user's program likes. */
  protocol: 'chat' | 'messages' | 'responses' | null;
}

export const AGENTS = {
  'qwen-coder': { title: 'Qwen Code', kind: 'acp', version: '0.24.4', install: 'npm', protocol: 'chat' },
  'claude-code': {
    title: 'Claude Code',
    kind: 'acp',
    version: '2.1.316',
    install: 'npm',
    protocol: 'messages',
  },
  codex: { title: 'Codex', kind: 'acp', version: '0.16.0', install: 'npm', protocol: 'responses' },
  command: {
    title: 'any program (task in, exit code out)',
    kind: 'command',
    version: null,
    install: null,
    protocol: null,
  },
} as const satisfies Record<string, AgentEntry>;

export type AgentName = keyof typeof AGENTS;

export const AGENT_NAMES = Object.keys(AGENTS) as AgentName[];

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
