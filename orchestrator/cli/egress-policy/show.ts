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

/** Prints the text as it was set, or every rule that holds; what is said beside is a comment of the language. */
export async function showPolicy(args: ShowArgs): Promise<void> {
  const { project, effective } = args;
  const policy = await connect(args).get('/egress-policy', EgressPolicy, { project });
  if (args.json) return printJson(policy);
  const { version, author, at, recording } = policy;
  const whose = project === undefined ? 'the installation' : `project ${project}`;
  const said =
    at === null
      ? `# The policy of ${whose} was never set.`
      : `# The policy of ${whose}: version ${version}, by ${author}, ${relativeTime(at)}.`;
  const notes = [
    ...(effective ? ['# All that holds; what no rule allows is refused.'] : [said]),
    ...(recording === null
      ? []
      : [
          `# Record mode until ${timestamp(recording.until)}, by ${recording.author}: all of the internet is allowed.`,
        ]),
  ];
  print(...notes, ...(effective ? policy.effective : policy.text === '' ? [] : [policy.text.trimEnd()]));
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
  malformed: () => 'its host, port, method or path is malformed',
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
