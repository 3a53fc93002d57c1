// Messages that people have sent to the run's task: the runner puts them in, the pipeline hands each to the agent once.
// Nothing of it is kept on disk: what no agent was given is in the work order of the next run.
import type { Message } from '../../protocol/message.ts';

export interface Inbox {
  /** Number of the last message that came. */
  last(): number;
  /** Puts messages in; those that came before are passed over. */
  add(messages: Message[]): void;
  isEmpty(): boolean;
  /** All that wait, in their order; they wait no more. */
  take(): Message[];
  /** Tells when something comes, until the returned function is called. */
  onArrival(listener: () => void): () => void;
}

/** An inbox that holds the messages from before the run. */
export function openInbox(messages: Message[]): Inbox {
  const listeners = new Set<() => void>();
  let last = 0;
  let waiting: Message[] = [];
  const inbox: Inbox = {
    last: () => last,
    add(came) {
      const fresh = came.filter(({ number }) => number > last);
      if (fresh.length === 0) return;
      waiting.push(...fresh);
      last = fresh.at(-1)!.number;
      for (const listener of listeners) listener();
    },
    isEmpty: () => waiting.length === 0,
    take() {
      const taken = waiting;
      waiting = [];
      return taken;
    },
    onArrival(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  inbox.add(messages);
  return inbox;
}
