// Events of a run as lines of text. Pure; used by `logs`, `watch` and the demo.
import type { RunEvent } from '../../../protocol/log.ts';
import { duration, oneLine, printable } from '../format.ts';
import { paint } from '../output.ts';

type StepEvent = Extract<RunEvent, { type: 'step' }>;

/** What people call the steps. */
export const STEP_TITLES: Record<StepEvent['step'], string> = {
  base: 'fetch the base',
  workspace: 'prepare the workspace',
  'base-verify': 'verify the base',
  context: 'gather context',
  plan: 'plan',
  execute: 'execute',
  verify: 'verify',
  adjust: 'adjust',
  push: 'push the result',
  'final-verify': 'verify the commit',
  finish: 'report',
};

/** Every event as lines, each with the time of day: the log as text. */
export function eventLines(event: RunEvent, options: { verbose: boolean }): string[] {
  const time = paint('dim', new Date(event.t).toISOString().slice(11, 23));
  return texts(event, options).map((text) => `${time}  ${text}`);
}

function texts(event: RunEvent, { verbose }: { verbose: boolean }): string[] {
  switch (event.type) {
    case 'step':
      return [
        `${paint(event.status === 'failed' ? 'red' : 'bold', `${stepTitle(event)} ${event.status}`)}${event.detail === undefined ? '' : ` – ${oneLine(event.detail)}`}`,
      ];
    case 'message':
      if (event.role !== 'agent' && event.role !== 'person' && !verbose) return [];
      return block(event.text).map((line) => `${event.role}: ${line}`);
    case 'tool_call':
      return [`tool ${event.status}: ${toolTitle(event)}`];
    case 'file_change':
      return [`file ${event.change}: ${oneLine(event.path)}`];
    case 'usage':
      return verbose
        ? [`usage: ${event.inputTokens} in, ${event.cachedTokens} cached, ${event.outputTokens} out`]
        : [];
    case 'output':
      return block(event.text).map((line) => `${event.source}: ${line}`);
    case 'notice':
      return block(event.text).map((line) => paint('yellow', `notice: ${line}`));
    case 'error':
      return block(event.message).map((line) => paint('red', `error: ${line}`));
  }
}

const REPEATED: StepEvent['step'][] = ['execute', 'verify', 'adjust'];

/** `verify (2)` for a second iteration. */
export function stepTitle(event: StepEvent): string {
  const again =
    event.iteration !== undefined && event.iteration > 1 && REPEATED.includes(event.step)
      ? ` (${event.iteration})`
      : '';
  return STEP_TITLES[event.step] + again;
}

/** A tool call in one line, with the files that its title does not name. */
export function toolTitle(event: Extract<RunEvent, { type: 'tool_call' }>): string {
  const paths = (event.paths ?? []).filter((path) => !event.title.includes(path.split('/').at(-1) ?? path));
  return oneLine([event.title, ...paths].join(' '));
}

/** Non-empty lines of a text from elsewhere. */
export function block(text: string): string[] {
  return printable(text)
    .split('\n')
    .filter((line) => line.trim() !== '');
}

/** How long a step took, as shown behind it. */
export function took(startedAt: number | undefined, endedAt: number): string {
  return startedAt === undefined ? '' : paint('dim', `  ${duration(Math.max(0, endedAt - startedAt))}`);
}
