// The profile of each agent that is a command line. Used by the factory, the installer and the check.
import { aider } from './aider.ts';
import { claudeCodeCli } from './claude-code-cli.ts';
import { cursorCli } from './cursor-cli.ts';
import type { CliProfile } from './profile.ts';

export const CLI_PROFILES = {
  'claude-code-cli': claudeCodeCli,
  aider,
  'cursor-cli': cursorCli,
} satisfies Record<string, CliProfile>;

export type CliProfileName = keyof typeof CLI_PROFILES;
