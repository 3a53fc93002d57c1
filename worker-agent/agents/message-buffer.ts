// Streamed pieces of an agent's text, merged into log events of a sensible size. Used by normalise.ts.
import type { RunEventInput } from './coding-agent.ts';

type Role = 'agent' | 'thought';

const MAX_CHARACTERS = 2048;
const MAX_WAIT_MS = 100;

export interface MessageBuffer {
  add(role: Role, text: string): void;
  /** Gives out what waits. */
  flush(): void;
}

/** Gives text out at a line's end, at 2 KiB, 100 ms after the first piece, and when the role changes. */
export function messageBuffer(emit: (event: RunEventInput) => void): MessageBuffer {
  let role: Role = 'agent';
  let waiting = '';
  let timer: NodeJS.Timeout | undefined;

  function give(length: number): void {
    clearTimeout(timer);
    timer = undefined;
    const text = waiting.slice(0, length);
    waiting = waiting.slice(length);
    if (text !== '') emit({ type: 'message', role, text });
    if (waiting !== '') timer = setTimeout(() => give(waiting.length), MAX_WAIT_MS);
  }

  return {
    add(nextRole, text) {
      if (nextRole !== role) give(waiting.length);
      role = nextRole;
      waiting += text;
      while (waiting.length > MAX_CHARACTERS) give(MAX_CHARACTERS);
      const lines = waiting.lastIndexOf('\n') + 1;
      if (lines > 0) give(lines);
      else if (waiting !== '') timer ??= setTimeout(() => give(waiting.length), MAX_WAIT_MS);
    },
    flush: () => give(waiting.length),
  };
}
