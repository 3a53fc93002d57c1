// `autocode egress policy set|allow|remove`.
import { readFileSync } from 'node:fs';
import { EgressPolicy, EgressPolicyChange, PolicyProblem } from '../../../protocol/egress.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import { z } from 'zod';
import { readPresets } from '../../egress/policy/presets.ts';
import { connect, type Client } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { paint, print, printJson } from '../output.ts';
import { addLines, givenRules, removeLines } from './lines.ts';

interface SetArgs extends GlobalArgs {
  file: string;
  project: string | undefined;
  dryRun: boolean;
}

const Problems = z.object({ problems: z.array(PolicyProblem) });

/** Puts a file in place of the policy. */
export async function setPolicy(args: SetArgs): Promise<void> {
  const { project, dryRun } = args;
  const file = args.file === '' ? '-' : args.file; // yargs makes nothing of a dash alone
  const body = { project, text: read(file), dryRun };
  const change = await connect(args)
    .send('PUT', '/egress-policy', EgressPolicyChange, body)
    .catch((error: unknown) => {
      throw withPlaces(error, file === '-' ? 'standard input' : file);
    });
  tell(args, change, dryRun);
}

interface RulesArgs extends GlobalArgs {
  rules: string[];
  project: string | undefined;
}

/** Adds rules at the end of the policy. */
export async function allowRules(args: RulesArgs): Promise<void> {
  const presets = readPresets();
  const lines = givenRules(args.rules, args.project, presets);
  tell(args, await edit(connect(args), args.project, (text) => addLines(text, lines, presets)));
}

/** Removes rules from the policy. */
export async function removeRules(args: RulesArgs): Promise<void> {
  const presets = readPresets();
  const lines = givenRules(args.rules, args.project, presets);
  tell(args, await edit(connect(args), args.project, (text) => removeLines(text, lines, presets)));
}

/** Changes the text of a policy; what somebody else did to it meanwhile is not lost: then it is refused. */
export async function edit(
  client: Client,
  project: string | undefined,
  change: (text: string) => string,
): Promise<EgressPolicyChange> {
  const { text, version } = await client.get('/egress-policy', EgressPolicy, { project });
  const body = { project, text: change(text), expectedVersion: version };
  return await client.send('PUT', '/egress-policy', EgressPolicyChange, body);
}

/** Shows what a change was. */
export function tell(args: GlobalArgs, change: EgressPolicyChange, dryRun = false): void {
  if (args.json) return printJson(change);
  const { project, version, added, removed } = change;
  const whose = project === null ? 'the installation' : `project ${project}`;
  const lines = [
    ...removed.map((rule) => paint('red', `- ${rule}`)),
    ...added.map((rule) => paint('green', `+ ${rule}`)),
  ];
  if (lines.length === 0) lines.push('No rule changes.');
  print(
    ...lines,
    dryRun ? 'Nothing was changed (--dry-run).' : `Version ${version} of the policy of ${whose} holds.`,
  );
}

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new AutocodeError('ERR_INVALID_INPUT', `${file} cannot be read: ${(cause as Error).message}.`, {
      remedy: 'Name a file of rules; `autocode egress policy show` prints one.',
      cause,
    });
  }
}

/** The error with every mistake of the file on a line of its own. */
function withPlaces(error: unknown, file: string): unknown {
  const details = error instanceof AutocodeError ? Problems.safeParse(error.details).data : undefined;
  if (details === undefined) return error;
  const told = details.problems.map(
    ({ line, column, message, remedy }) => `  ${file}:${line}:${column}: ${message} ${remedy}`,
  );
  return new AutocodeError('ERR_INVALID_INPUT', `the policy stays as it was.\n${told.join('\n')}`, {
    details,
  });
}
