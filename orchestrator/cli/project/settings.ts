// Options that `project add` and `project set` share, as the API wants them.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Isolation, VerifyCommand } from '../../../protocol/project.ts';
import type { SubmissionChecks } from '../../../protocol/submission.ts';
import { checksOf, type CheckArgs } from './checks.ts';
import { forgeSettings, type ForgeArgs } from './forge.ts';

export interface SettingArgs extends CheckArgs, ForgeArgs {
  verify: string[] | undefined;
  branch: string | undefined;
  agent: string | undefined;
  agentCommand: string | undefined;
  model: string | undefined;
  deadline: number | undefined;
  iterations: number | undefined;
  isolation: Isolation | undefined;
  trusted: boolean | undefined;
}

/** The named settings; what is undefined stays out of the JSON. Patterns of checks join those that the project has `now`. */
export function settingsOf(args: SettingArgs, now?: SubmissionChecks) {
  const limits = { deadlineMinutes: args.deadline, maxIterations: args.iterations };
  return {
    verify: args.verify?.map(verifyCommand),
    defaultBranch: args.branch,
    agent: args.agent,
    agentCommand: args.agentCommand === undefined ? undefined : words(args.agentCommand),
    model: args.model,
    limits: Object.values(limits).some((value) => value !== undefined) ? limits : undefined,
    checks: checksOf(args, now),
    ...forgeSettings(args),
    isolation: args.isolation,
    trusted: args.trusted,
  };
}

/** `test=npm test`, or a command alone, which is named by its first words. */
export function verifyCommand(text: string): VerifyCommand {
  const [, name, command] = /^([A-Za-z0-9_.-]{1,80})=(.+)$/s.exec(text) ?? [];
  if (name !== undefined && command !== undefined) return { name, command: command.trim() };
  return { name: text.trim().slice(0, 80), command: text };
}

/** A program with its arguments: a JSON array, or words between spaces. Quotes would need a shell's rules: refused. */
export function words(text: string): string[] {
  if (!text.trimStart().startsWith('[')) {
    if (!/["'\\]/.test(text)) return text.split(' ').filter((word) => word !== '');
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      `--agent-command ${text} has quotes, which are not interpreted.`,
      {
        remedy: `Write it as a JSON array: '["sh", "-c", "my-agent --flag"]'.`,
      },
    );
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed) && parsed.every((word) => typeof word === 'string')) return parsed;
  } catch {
    // told below
  }
  throw new AutocodeError('ERR_INVALID_INPUT', `--agent-command ${text} is no JSON array of strings.`, {
    remedy: `Write it as '["program", "an argument"]'.`,
  });
}
