// `autocode egress policy show` and `egress policy test`.
import { EgressPolicy, EgressVerdict } from '../../../protocol/egress.ts';
import { connect } from '../client.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { relativeTime, timestamp } from '../format.ts';
import { print, printJson } from '../output.ts';

interface ShowArgs extends GlobalArgs {
  project: string | undefined;
  effective: boolean;
}

/** Prints the text as it was set, or every rule that holds; what is said beside goes to stderr, so that a file of it is the policy. */
export async function showPolicy(args: ShowArgs): Promise<void> {
  const { project, effective } = args;
  const policy = await connect(args).get('/egress-policy', EgressPolicy, { project });
  if (args.json) return printJson(policy);
  process.stderr.write(`${notes(policy, effective).join('\n')}\n`);
  const lines = effective ? policy.effective : policy.text.trimEnd().split('\n');
  if (lines.join('') !== '') print(...lines);
}

function notes({ project, version, author, at, recording }: EgressPolicy, effective: boolean): string[] {
  const whose = project === null ? 'the installation' : `project ${project}`;
  const set = at === null ? 'was never set' : `is version ${version}, by ${author}, ${relativeTime(at)}`;
  const said = effective
    ? `All that holds for ${whose}; what no rule allows is refused.`
    : `The policy of ${whose} ${set}.`;
  if (recording === null) return [said];
  const until = timestamp(recording.until);
  return [said, `Record mode until ${until}, by ${recording.author}: all of the internet is allowed.`];
}

interface TestArgs extends GlobalArgs {
  target: string;
  method: string;
  project: string | undefined;
  address: string | undefined;
}

const REASONS: Record<EgressVerdict['reason'], (verdict: EgressVerdict) => string> = {
  rule: ({ rule }) => String(rule),
  recording: () => 'record mode, no rule allows it',
  'no-rule': () => 'no rule allows it',
  'private-address': ({ rule }) => `${rule} would allow it, but the address is not public`,
  'names-differ': () => 'its names differ',
  malformed: () => 'its host, port, method, path or a header is malformed',
};

/** Says whether a request may leave; the exit code is 1 when it may not. */
export async function testPolicy(args: TestArgs): Promise<void> {
  const { target, method, project, address } = args;
  const body = { url: target, method: method.toUpperCase(), project, address };
  const verdict = await connect(args).send('POST', '/egress-policy/tests', EgressVerdict, body);
  if (args.json) printJson(verdict);
  else print(...told(verdict, project));
  if (verdict.decision === 'deny') throw new Exit(1);
}

function told(verdict: EgressVerdict, project: string | undefined): string[] {
  const { decision, reason, allowedBy } = verdict;
  const said = `${decision === 'allow' ? 'allowed' : 'denied'}: ${REASONS[reason](verdict)}`;
  if (allowedBy === null) return [said];
  return [said, `It would be allowed by: ${allowCommand(allowedBy, project)}`];
}

/** The command that adds a rule. */
function allowCommand(rule: string, project: string | undefined): string {
  const where = project === undefined ? '' : ` --project ${project}`;
  return `autocode egress policy allow '${rule.replace(/^allow /, '')}'${where}`;
}
