// `autocode egress policy record` and `egress policy learn`.
import { z } from 'zod';
import { EgressProposal } from '../../../protocol/egress.ts';
import { Timestamp } from '../../../protocol/ids.ts';
import { readPresets } from '../../egress/policy/presets.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { confirm } from '../confirm.ts';
import { timeOf } from '../egress.ts';
import { count, timestamp } from '../format.ts';
import { print, printJson, table } from '../output.ts';
import { edit, tell } from './change.ts';
import { addLines } from './lines.ts';

interface RecordArgs extends GlobalArgs {
  project: string;
  hours: number;
  stop: boolean;
}

/** Begins or ends record mode. */
export async function recordProject(args: RecordArgs): Promise<void> {
  const { project, stop } = args;
  const body = { project, hours: stop ? null : args.hours };
  const answer = await connect(args).send(
    'PUT',
    '/egress-policy/recording',
    z.object({ until: Timestamp.nullable() }),
    body,
  );
  if (args.json) return printJson(answer);
  if (answer.until === null) return print(`Record mode of project ${project} is over: rules decide again.`);
  print(
    `Runs of project ${project} may reach all of the internet until ${timestamp(answer.until)}, and are recorded.`,
    `Then see \`autocode egress policy learn --project ${project}\`.`,
  );
}

interface LearnArgs extends GlobalArgs {
  project: string;
  since: string;
  apply: boolean;
  yes: boolean;
}

/** Shows the proposed rules; with --apply adds them to the project's policy, having asked. */
export async function learnPolicy(args: LearnArgs): Promise<void> {
  const { project } = args;
  const client = connect(args);
  const query = { project, since: timeOf(args.since, Date.now()) };
  const proposal = await client.get('/egress-policy/proposal', EgressProposal, query);
  const rules = proposal.rules.map(({ rule }) => rule);
  const applied = args.apply && rules.length > 0;
  if (args.json && !applied) return printJson(proposal);
  if (!args.json) print(drawProposal(proposal));
  if (!applied) {
    if (rules.length > 0)
      print('', `Add them with \`autocode egress policy learn --project ${project} --apply\`.`);
    return;
  }
  if (!args.yes)
    await confirm(
      rules,
      `Add ${rules.length === 1 ? 'this rule' : `these ${rules.length} rules`} to the policy of project ${project}?`,
      {
        message: 'Nobody can be asked whether the rules are to be added.',
        remedy: 'Add --yes.',
      },
    );
  const presets = readPresets();
  tell(args, await edit(client, project, (text) => addLines(text, rules, presets)));
}

function drawProposal({ rules, skipped }: EgressProposal): string {
  const parts: string[] = [];
  if (rules.length === 0) parts.push('Nothing that was recorded needs another rule.');
  else
    parts.push(
      table(rules, [
        { title: 'RULE', value: ({ rule }) => rule },
        { title: 'REQUESTS', value: ({ requests }) => count(requests), align: 'right' },
        { title: 'RUNS', value: ({ runs }) => count(runs), align: 'right' },
        { title: 'EXAMPLE', value: ({ example }) => example, spare: true },
      ]),
    );
  if (skipped.length > 0)
    parts.push(
      'No rule is proposed for:',
      table(skipped, [
        { title: 'REQUEST', value: ({ what }) => what },
        { title: 'TIMES', value: ({ requests }) => count(requests), align: 'right' },
        { title: 'WHY', value: ({ why }) => why },
      ]),
    );
  return parts.join('\n\n');
}
