// `autocode change show`.
import { Change } from '../../../protocol/change.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { printable, relativeTime, shortCommit } from '../format.ts';
import { block, paint, print, printJson } from '../output.ts';
import { styleOf } from '../states.ts';

/** Shows a change with the body of its pull request. */
export async function showChange(args: GlobalArgs & { change: number }): Promise<void> {
  const change = await connect(args).get(`/changes/${args.change}`, Change);
  if (args.json) return printJson(change);
  print(
    paint('bold', `Change ${change.id}: ${printable(change.title)}`),
    '',
    drawChange(change),
    '',
    printable(change.body),
  );
  if (change.state === 'open')
    print(
      '',
      paint(
        'dim',
        ['diff', change.mergeable === 'conflicts' ? 'resolve' : 'merge', 'close']
          .map((verb) => `autocode change ${verb} ${change.id}`)
          .join(' · '),
      ),
    );
}

function drawChange(change: Change): string {
  return block([
    ['state', paint(styleOf(change.state), change.state)],
    ['task', `${change.task} (run ${change.run}) in ${change.project}, repository ${change.repository}`],
    ['branch', `${change.branch} → ${change.baseBranch}`],
    ['commits', `${shortCommit(change.baseCommit)} → ${shortCommit(change.headCommit)}`],
    ['forge', change.url ?? change.forge],
    [
      'moved',
      change.forgeHead === null ? null : `somebody moved the branch to ${shortCommit(change.forgeHead)}`,
    ],
    ['reviews', change.reviews.length === 0 ? null : change.reviews.map(said).join(', ')],
    ['merges', change.state === 'open' ? merges(change) : null],
    ['upon', change.onto === null ? null : `change ${change.onto}`],
    ['stuck', change.stuck],
    ['trouble', change.trouble],
    ['opened', relativeTime(change.createdAt)],
    ['ended', change.closedAt === null ? null : relativeTime(change.closedAt)],
  ]);
}

function said({ by, says, stale }: Change['reviews'][number]): string {
  return `${printable(by)} ${says.replace('-', ' ')}${stale ? ' (an earlier version)' : ''}`;
}

function merges({ mergeable, mergeReason, draft, baseBranch }: Change): string {
  const why = mergeReason === null ? '' : `: ${printable(mergeReason)}`;
  const words = {
    yes: 'yes',
    conflicts: `it conflicts with ${baseBranch}${why}`,
    blocked: `not yet${why}`,
    unknown: 'not known yet',
  }[mergeable];
  return draft ? `${words} (a draft)` : words;
}
