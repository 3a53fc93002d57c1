// What differs between agents that are a command line, started anew for each turn: how each is launched, and what its lines of
// output tell. One file an agent beside this one; CliAgent does the rest.
import type { SessionUpdate } from '@agentclientprotocol/sdk';
import type { AgentTokens } from '../../../protocol/run.ts';
import type { AgentContext, Phase } from '../coding-agent.ts';
import type { Launch, LaunchInput } from '../profiles/profile.ts';

export interface CliTurn extends LaunchInput {
  agent: AgentContext['agent'];
  phase: Phase;
  prompt: string;
  /** The prompt as a file in HOME. */
  promptFile: string;
  /** What the program calls the conversation that it goes on with; null in its first turn. */
  session: string | null;
}

/** What one line of output tells. */
export type Fact =
  | { update: SessionUpdate }
  /** Tokens; the cached ones are a part of the input. */
  | { usage: AgentTokens }
  /** What the conversation is called, for the turns to come. */
  | { session: string }
  /** Text of the program's own. */
  | { output: string }
  /** How the turn ended; the last one counts, and the exit code only without one. */
  | { ended: 'done' | 'limit' | 'failed'; error: string | null };

export interface CliProfile {
  /** Name in the catalogue. */
  name: string;
  title: string;
  /** The version that must answer; null accepts any. */
  version: string | null;
  /** It has a way to work that changes nothing. */
  plans: boolean;
  /** The program; it says its version when `--version` is added. */
  program(input: Pick<LaunchInput, 'installed' | 'node' | 'home'>): string[];
  /** Environment, and settings to write before the start: path under HOME → text. */
  settings(input: LaunchInput): Pick<Launch, 'env' | 'files'>;
  /** The program's arguments in a turn, and what it reads on stdin. */
  turn(turn: CliTurn): { args: string[]; input: string | null };
  /** What an object on a line of stdout tells; nothing for one of no interest. */
  read(line: object): Fact[];
  /** Errors that a person can do something about: what they look like, and what to do. */
  remedies?: { error: RegExp; remedy: string }[];
}
