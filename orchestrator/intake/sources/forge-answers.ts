// What is said at forges of the tasks that came from there: a comment below the issue, reactions to comments. All that is not
// ours in it is escaped. Used by forge.ts.
import { inline } from '../../repos/change-body.ts';
import type { Forge, ForgeTalk } from '../../repos/forge/forge.ts';
import type { Forges } from '../../repos/forge/forges.ts';
import { isRefusal } from '../../repos/forge/pull-requests.ts';
import { isAt, registeredAt } from '../../repos/importable.ts';
import type { PendingReason, TaskState } from '../../../protocol/task.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Answers, TaskToTell } from '../answering.ts';
import type { ForgeSourceSettings } from '../forge-source.ts';

/** Comments that we write carry this mark: nothing follows from them. */
export const OWN_MARK = '<!-- autocode task';

/** The status of a commit that tells how it goes with its task; not one of its checks. */
const STATE = 'autocode/task';
const HOUR_MS = 60 * 60_000;
const LONGEST = 1000;

const WORDS: Record<TaskState, string> = {
  pending: 'it waits',
  queued: 'it waits for a worker',
  running: 'an agent is at work',
  completed: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
};
const WAITS: Partial<Record<PendingReason, string>> = {
  approval: 'its plan waits for approval',
  repository: 'it waits for other work in the same repository',
  retry: 'it is tried again soon',
  incident: 'it waits for more of the same incident',
  budget: 'it waits, since the budget is used up',
  drain: 'it waits, since no new work is begun now',
  secrets: 'it waits for secrets that cannot be read now',
};

/** Answers to issues and comments. */
export const forgeAnswers: Answers<ForgeSourceSettings> = {
  wanted: ({ settings }) => settings.answers,
  text: textOf,
  open: async (_source, told, { db, forges }) => {
    const { issue, mark, createdAt } = told;
    if (issue === null) throw gone('The task is of no issue.');
    const { rows } = await db.query<{ origin: string }>('select origin from repository where id = $1', [
      issue.repository,
    ]);
    const forge = await forges.open({ origin: rows[0]!.origin, forge: issue.forge });
    const talk = talkOf(forge);
    return {
      earlier: async (signal) => {
        const since = new Date(createdAt.getTime() - HOUR_MS); // clocks differ
        const comments = await talk.comments(issue.number, since, signal);
        return comments.find(({ body }) => body.includes(mark))?.id ?? null;
      },
      write: async (comment, text, signal) => await talk.write(issue.number, comment, text, signal),
      after: async (signal) => await tellState(told, forges, signal),
    };
  },
  react: async ({ settings }, { key, subject }, reaction, { db, forges }, signal) => {
    const [, path = '', sign, number] = /^(.+)([#!])(\d+)$/.exec(subject) ?? [];
    const [, line, comment] = / (?:comment |review \d+ (line-))(\d+)$/.exec(key) ?? [];
    if (comment === undefined) return;
    const found = (await registeredAt(db, settings.forge)).find(({ origin }) => isAt(origin, path));
    if (found === undefined) throw gone(`No project has the repository ${path}.`);
    const forge = await forges.open({ origin: found.origin, forge: settings.forge });
    const to = { number: Number(number), onChange: sign === '!', comment, line: line !== undefined };
    await talkOf(forge).react(to, reaction, signal);
  },
};

// How it goes with the task, at the commits of its open pull requests.
async function tellState(
  { task, state, changes }: TaskToTell,
  forges: Forges,
  signal: AbortSignal,
): Promise<void> {
  const passed = state === 'completed' ? true : state === 'failed' || state === 'cancelled' ? false : null;
  const status = { context: STATE, passed, description: `Task ${task}: ${WORDS[state]}` };
  for (const { place } of changes.filter((change) => change.state === 'open')) {
    const forge = await forges.open(place);
    await forge?.tell?.(place, [status], signal).catch((error: unknown) => {
      if (!isRefusal(error)) throw error; // as where the commit is gone
    });
  }
}

function talkOf(forge: Forge | undefined): ForgeTalk {
  if (forge?.talk !== undefined) return forge.talk;
  throw gone('The repository is on no forge with issues.');
}

function gone(what: string): AutocodeError {
  return new AutocodeError('ERR_NOT_FOUND', what);
}

function textOf(told: TaskToTell): string {
  const { task, state, pendingReason, summary, submission, changes, mark } = told;
  const waits = state === 'pending' && pendingReason !== null ? WAITS[pendingReason] : undefined;
  const ended = state === 'completed' || state === 'failed' || state === 'cancelled';
  const why = state === 'pending' || ended ? told.reason : submission;
  const lines = [
    `${OWN_MARK} ${task} ${mark} -->`,
    `**Autocode, task ${task}**: ${waits ?? WORDS[state]}.${why === null ? '' : ` ${shown(why)}`}`,
    ...changes.map(({ title, url, state: now, passed, failed }) => {
      const checks = passed + failed === 0 ? '' : `; checks: ${passed} passed, ${failed} failed`;
      return `Pull request: [${shown(title)}](${url}), ${now}${checks}.`;
    }),
    ...(summary === null || summary.trim() === '' ? [] : [`> ${shown(summary)}`]),
  ];
  return lines.join('\n\n');
}

function shown(text: string): string {
  return inline(text.slice(0, LONGEST));
}
