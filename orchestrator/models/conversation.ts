// What a request says of where it runs and what it is about, whatever agent sent it. Used by replay and recorder.
import type { Conversation } from './wire/wire.ts';

/** Stands in recordings for the directory in which the agent works. */
export const CWD = '{{cwd}}';

// How Claude Code, Codex, Qwen Code and Autocode's own prompts say where the work is. Only these forms are believed.
const WORKING_DIRECTORY =
  /(?:working directory(?: is)?|currently working in the directory|<cwd>)\s*:?[ \t]*[`'"]?(\/[^\n<`'"]*)/i;

/** The agent's working directory, from its system prompt or else from its first messages. */
export function workingDirectory({ setting, opening }: Conversation): string | undefined {
  const found = WORKING_DIRECTORY.exec(setting) ?? WORKING_DIRECTORY.exec(opening);
  return found?.[1]?.trim().replace(/(?<=.)[/.]+$/, '');
}

/** The opening without what changes from run to run: reminders and environment, the directory, white space. */
export function normalisedOpening(conversation: Conversation): string {
  const cwd = workingDirectory(conversation);
  const text = conversation.opening.replace(
    /<(system-reminder|environment_context|user_instructions)>[\s\S]*?<\/\1>/g,
    '',
  );
  return (cwd === undefined ? text : text.replaceAll(cwd, CWD)).replace(/\s+/g, ' ').trim();
}

/** The line `Task: <title>` of a planning prompt, the natural marker of a conversation. */
export function taskLine(conversation: Conversation): string | undefined {
  return /^Task: .+$/m.exec(conversation.opening)?.[0].trim();
}
