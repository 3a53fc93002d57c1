// Options that `project add` and `project set` share, as the API wants them.
import { AutocodeError } from '../../../protocol/errors.ts';
import { TOOL_KINDS, type Isolation, type VerifyCommand } from '../../../protocol/project.ts';
import type { AfterChange } from '../../../protocol/order-of-work.ts';
import type { PlacementChoice } from '../../../protocol/placement.ts';
import type { SubmissionChecks } from '../../../protocol/submission.ts';
import { limitsOf, type LimitArgs } from '../limits.ts';
import { checksOf, type CheckArgs } from './checks.ts';
import { quietHoursOf } from './quiet-hours.ts';
import { forgeSettings, type ForgeArgs } from './forge.ts';

export interface SettingArgs extends CheckArgs, ForgeArgs, LimitArgs {
  verify: string[] | undefined;
  branch: string | undefined;
  agent: string | undefined;
  agentCommand: string | undefined;
  model: string | undefined;
  approvePlan: boolean | undefined;
  permit: string[] | undefined;
  memory: boolean | undefined;
  dependencyCaches: boolean | undefined;
  isolation: Isolation | undefined;
  environment: string | undefined;
  placement: PlacementChoice | undefined;
  workerLabel: string[] | undefined;
  runMemory: number | undefined;
  afterChange: AfterChange | undefined;
  maxRuns: number | undefined;
  quietHours: string[] | undefined;
  trusted: boolean | undefined;
}

/** The named settings; what is undefined stays out of the JSON. Patterns of checks join those that the project has `now`. */
export function settingsOf(args: SettingArgs, now?: SubmissionChecks) {
  const limits = limitsOf(args);
  return {
    verify: args.verify?.map(verifyCommand),
    defaultBranch: args.branch,
    agent: args.agent,
    agentCommand: args.agentCommand === undefined ? undefined : words(args.agentCommand),
    model: args.model,
    limits: Object.values(limits).some((value) => value !== undefined) ? limits : undefined,
    checks: checksOf(args, now),
    ...forgeSettings(args),
    approvePlan: args.approvePlan,
    permissions: args.permit === undefined ? undefined : Object.fromEntries(args.permit.map(permission)),
    memory: args.memory,
    dependencyCaches: args.dependencyCaches,
    isolation: args.isolation,
    environment: args.environment,
    placement: args.placement,
    workerLabels: args.workerLabel?.filter((label) => label !== ''),
    runMemoryMib: args.runMemory === 0 ? null : args.runMemory,
    afterChange: args.afterChange,
    maxRuns: args.maxRuns === 0 ? null : args.maxRuns,
    quietHours: quietHoursOf(args.quietHours),
    trusted: args.trusted,
  };
}

/** `test=npm test`, `web:test=npm test` at the root of a repository, or a command alone, named by its first words. */
export function verifyCommand(text: string): VerifyCommand {
  const [, place, name, command] =
    /^(?:([a-z0-9][a-z0-9._-]{0,62}):)?([A-Za-z0-9_.-]{1,80})=(.+)$/s.exec(text) ?? [];
  if (name !== undefined && command !== undefined)
    return { name, command: command.trim(), ...(place === undefined ? {} : { in: place }) };
  return { name: text.trim().slice(0, 80), command: text };
}

/** `execute=deny`: a kind of tool and whether it may be used. */
function permission(text: string): [kind: string, answer: string] {
  const [kind = '', answer = ''] = text.split('=');
  if (TOOL_KINDS.some((known) => known === kind) && ['allow', 'deny'].includes(answer)) return [kind, answer];
  throw new AutocodeError('ERR_INVALID_INPUT', `--permit ${text} names no kind of tool with allow or deny.`, {
    remedy: `Write it as execute=deny; the kinds are ${TOOL_KINDS.join(', ')}.`,
  });
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
