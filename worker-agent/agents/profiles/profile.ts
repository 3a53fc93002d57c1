// What differs between agents that speak the Agent Client Protocol: how each is launched and set up.
// One file an agent beside this one; AcpAgent does the rest.

/** Where a launch gets its values from. */
export interface LaunchInput {
  /** Directory of the installed agent as seen inside the sandbox, as in `<toolDir>/qwen-coder-0.24.4`. */
  installed: string;
  /** Node's program, as seen inside. */
  node: string;
  /** Scratch HOME of the run. */
  home: string;
  /** Base address of the model gateway, without /v1; no key is needed. */
  gatewayUrl: string;
  model: string;
}

export interface Launch {
  argv: string[];
  env: Record<string, string>;
  /** Settings to write before the start: path under HOME → text. */
  files: Record<string, string>;
}

export interface LaunchProfile {
  /** Name in the catalogue. */
  name: string;
  title: string;
  /** The version that must answer; null accepts any. */
  version: string | null;
  /** The program, relative to the agent's install directory, run by Node if it ends in `.js`; absolute for one not installed by us. */
  binary: string;
  /** How the program is asked for its version: its arguments and what it reads. */
  versionQuery: { args: string[]; input: string };
  /** Further programs in it, which a download leaves without their execute bit. */
  programs: string[];
  /** Session modes: one that changes nothing, for the plan, and one that asks nobody, for the work. `ask`: one that asks
   * before each tool that may do harm; taken for the work where the project denies a kind of tool. Null: it asks before each of them anyway. */
  modes: { plan: string; work: string; ask?: string } | null;
  /** Messages that are the program's own words and not the model's. */
  notices?: RegExp;
  /** Settings that the agent takes with a new session, as `_meta`. */
  sessionMeta?: Record<string, unknown>;
  launch(input: LaunchInput): Launch;
}

/** Stands where an agent insists on a key: the relay of the run adds the true one, outside the sandbox. */
export const PLACEHOLDER_KEY = 'added-by-the-relay';

/** Most programs say it by themselves. */
export const BY_FLAG = { args: ['--version'], input: '' };
