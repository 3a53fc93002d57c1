// What Jira is told of the tasks that came from its issues: one comment, and a link to each pull request. Used by jira.ts.
import type { TaskState } from '../../../protocol/task.ts';
import type { Answers, TaskToTell } from '../answering.ts';
import { openJira } from './jira-client.ts';
import { OWN_COMMENT } from './jira-events.ts';
import type { JiraSettings } from './jira-settings.ts';
import { plainText } from './jira-text.ts';

const SUBJECT = 'issue|';

/** Answers to issues. A comment is found again by its first words. */
export const jiraAnswers: Answers<JiraSettings> = {
  wanted: ({ settings }) => settings.token !== undefined,
  text: textOf,
  open: async (source, { task, subject, changes }, deps) => {
    const jira = await openJira(source, deps);
    const issue = subject.slice(SUBJECT.length);
    return {
      earlier: async (signal) => {
        const comments = await jira.comments(issue, signal);
        const ours = comments.find(
          ({ body }) => OWN_COMMENT.exec(plainText(body))?.[0] === `Autocode, task ${task}:`,
        );
        return ours?.id ?? null;
      },
      write: async (comment, text, signal) => await jira.comment(issue, comment, text, signal),
      after: async (signal) => {
        for (const { id, title, url } of changes)
          await jira.link(issue, `autocode-change-${id}`, { url, title }, signal);
      },
    };
  },
};

const WORDS: Record<TaskState, string> = {
  pending: 'it waits',
  queued: 'it waits for a worker',
  running: 'an agent is at work',
  completed: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
};

function textOf({ task, state, reason, changes }: TaskToTell): string {
  const why = reason === null || state === 'queued' || state === 'running' ? '' : ` ${escaped(reason)}`;
  const links = changes.map(
    (change) => `\nPull request: ${escaped(change.title)}, ${change.state}: [${change.url}]`,
  );
  return `Autocode, task ${task}: ${WORDS[state]}.${why}${links.join('')}`;
}

// Nothing in it is markup: no mention of anybody, no picture.
function escaped(text: string): string {
  return text.slice(0, 1000).replaceAll(/[\\{}[\]|*~^!]/g, '\\$&');
}
