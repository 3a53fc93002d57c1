// The launch profile of each agent that speaks ACP. Used by the factory, the installer and the check.
import { claudeCode } from './claude-code.ts';
import { codex } from './codex.ts';
import { qwenCoder } from './qwen-coder.ts';
import type { LaunchProfile } from './profile.ts';

export const PROFILES = {
  'qwen-coder': qwenCoder,
  'claude-code': claudeCode,
  codex,
} satisfies Record<string, LaunchProfile>;

export type ProfileName = keyof typeof PROFILES;
