// A record of the stream `events` as one line for people. Used by the log view.
import type { RunEvent } from '../../../protocol/log.ts';

export interface EventLine {
  time: string;
  what: string;
  text: string;
  className: string;
}

/** One line of the stream; undefined when it is no record, as when it is cut. */
export function eventLine(line: string): EventLine | undefined {
  const event = runEvent(line);
  if (event === undefined) return undefined;
  const time = new Date(event.t).toISOString().slice(11, 23);
  return { time, what: event.type.replace('_', ' '), text: oneLine(textOf(event)), className: inkOf(event) };
}

/** The record of a line; undefined when it is none. */
export function runEvent(line: string): RunEvent | undefined {
  try {
    const event = JSON.parse(line) as Partial<RunEvent> | null;
    return typeof event?.t === 'number' && typeof event.type === 'string' ? (event as RunEvent) : undefined;
  } catch {
    return undefined;
  }
}

function textOf(event: RunEvent): string {
  switch (event.type) {
    case 'step':
      return `${event.step} ${event.status}${event.detail === undefined ? '' : `: ${event.detail}`}`;
    case 'message':
      return `${event.role}: ${event.text}`;
    case 'tool_call':
      return `${event.title} (${event.status})`;
    case 'file_change':
      return `${event.change} ${event.path}`;
    case 'usage':
      return `${event.inputTokens} tokens in, ${event.cachedTokens} of them cached, ${event.outputTokens} out`;
    case 'output':
      return `${event.source}: ${event.text}`;
    case 'notice':
      return event.text;
    case 'error':
      return event.message;
    default:
      return JSON.stringify(event); // of a worker one version ahead
  }
}

function inkOf(event: RunEvent): string {
  if (event.type === 'error' || (event.type === 'step' && event.status === 'failed')) return 'text-bad';
  if (event.type === 'notice') return 'text-warn';
  if (event.type === 'tool_call') return 'text-accent';
  return event.type === 'step' ? 'text-info' : 'text-muted';
}

function oneLine(text: string): string {
  return text.trimEnd().replaceAll('\n', ' ⏎ ');
}
