// What the agent of a run does, from the run's stream of events: pieces of one thing are put together, as the lines of a message,
// the states of a tool call, the output of a check. Used by feed-view.tsx.
import type { LogLines, RunEvent } from '../../../protocol/log.ts';
import { get } from '../api/client.ts';
import { runEvent } from '../log/event-line.ts';
import { followLog, logPath } from '../log/follow.ts';
import { LineSplitter } from '../log/line-splitter.ts';

type Of<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;

/** One thing to be seen. */
export type Entry = { key: number } & (
  | { kind: 'step'; step: Of<'step'>; endedAt: number | undefined }
  | { kind: 'message'; at: number; role: Of<'message'>['role']; text: string }
  | { kind: 'tools'; at: number; calls: Of<'tool_call'>[] }
  | { kind: 'files'; at: number; files: Of<'file_change'>[] }
  | { kind: 'output'; at: number; source: string; text: string }
  | { kind: 'notice'; at: number; text: string; bad: boolean }
);

const MOST_ENTRIES = 3_000;
const MOST_TEXT = 40_000;

/** Adds an event to entries; those that it changes are new objects. */
export function addEvent(entries: Entry[], event: RunEvent, key: number): void {
  const last = entries.at(-1);
  switch (event.type) {
    case 'step':
      return addStep(entries, event, key);
    case 'message':
      if (last?.kind === 'message' && last.role === event.role)
        entries[entries.length - 1] = { ...last, text: grown(last.text, event.text) };
      else entries.push({ key, kind: 'message', at: event.t, role: event.role, text: event.text });
      return;
    case 'tool_call':
      return addTool(entries, event, key);
    case 'file_change':
      if (last?.kind === 'files')
        entries[entries.length - 1] = {
          ...last,
          files: [...last.files.filter(({ path }) => path !== event.path), event],
        };
      else entries.push({ key, kind: 'files', at: event.t, files: [event] });
      return;
    case 'output':
      if (last?.kind === 'output' && last.source === event.source)
        entries[entries.length - 1] = { ...last, text: grown(last.text, event.text) };
      else entries.push({ key, kind: 'output', at: event.t, source: event.source, text: event.text });
      return;
    case 'notice':
      return void entries.push({ key, kind: 'notice', at: event.t, text: event.text, bad: false });
    case 'error':
      return void entries.push({ key, kind: 'notice', at: event.t, text: event.message, bad: true });
    default: // tokens as the agent counts them: the ledger is what is shown
  }
}

function addStep(entries: Entry[], event: Of<'step'>, key: number): void {
  const begun = entries.findLastIndex(
    (entry) => entry.kind === 'step' && entry.step.step === event.step && entry.endedAt === undefined,
  );
  const entry = entries[begun];
  if (event.status === 'started' || entry?.kind !== 'step')
    entries.push({
      key,
      kind: 'step',
      step: event,
      endedAt: event.status === 'started' ? undefined : event.t,
    });
  else entries[begun] = { ...entry, step: { ...entry.step, ...event, t: entry.step.t }, endedAt: event.t };
}

// A call is told again when its state changes, also after others have begun.
function addTool(entries: Entry[], event: Of<'tool_call'>, key: number): void {
  for (let at = entries.length - 1; at >= Math.max(0, entries.length - 50); at--) {
    const entry = entries[at]!;
    if (entry.kind !== 'tools') continue;
    const index = entry.calls.findIndex(({ id }) => id === event.id);
    if (index === -1) continue;
    entries[at] = { ...entry, calls: entry.calls.with(index, { ...event, t: entry.calls[index]!.t }) };
    return;
  }
  const last = entries.at(-1);
  if (last?.kind === 'tools') entries[entries.length - 1] = { ...last, calls: [...last.calls, event] };
  else entries.push({ key, kind: 'tools', at: event.t, calls: [event] });
}

function grown(text: string, more: string): string {
  const whole = text + more;
  return whole.length <= MOST_TEXT ? whole : `…${whole.slice(-MOST_TEXT)}`;
}

export interface FeedState {
  entries: readonly Entry[];
  /** Line of the stream that the first entry is of; what is before it is in the log. */
  first: number;
  opened: boolean;
  live: boolean;
  problem: unknown;
}

/** The entries of a run, from its last events on, as they come. */
export class RunFeed {
  readonly #run: string;
  readonly #stop = new AbortController();
  readonly #watchers = new Set<() => void>();
  #entries: Entry[] = [];
  #state: FeedState = { entries: [], first: 1, opened: false, live: false, problem: undefined };
  #frame: number | undefined;

  constructor(run: string) {
    this.#run = run;
  }

  /** Reads the last events and follows; until `stop`. */
  async start(): Promise<void> {
    const log = { run: this.#run, stream: 'events' as const };
    const { signal } = this.#stop;
    try {
      const { lines, total, bytes } = await get<LogLines>(`${logPath(log)}/lines`, { limit: 1000 }, signal);
      const last = lines.at(-1);
      const open = last !== undefined && last.at + last.bytes === bytes;
      for (const { text, line } of open ? lines.slice(0, -1) : lines) this.#add(text, line);
      const splitter = open ? new LineSplitter(last.line, last.at) : new LineSplitter(total + 1, bytes);
      this.#change({ opened: true, live: true, first: lines[0]?.line ?? 1 });
      const heard = (live: boolean) => this.#change({ live });
      for await (const piece of followLog(log, { from: open ? last.at : bytes, signal, heard })) {
        for (const { text, line } of splitter.take(piece.bytes)) this.#add(text, line);
        this.#change({});
      }
    } catch (problem) {
      if (!signal.aborted) this.#change({ problem });
    }
  }

  stop(): void {
    this.#stop.abort();
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
  }

  readonly state = (): FeedState => this.#state;

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  #add(text: string, line: number): void {
    const event = runEvent(text);
    if (event !== undefined) addEvent(this.#entries, event, line);
    if (this.#entries.length > MOST_ENTRIES * 1.2) {
      this.#entries = this.#entries.slice(-MOST_ENTRIES);
      this.#state = { ...this.#state, first: this.#entries[0]!.key };
    }
  }

  #change(change: Partial<FeedState>): void {
    this.#state = { ...this.#state, ...change };
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#state = { ...this.#state, entries: [...this.#entries] };
      for (const watcher of this.#watchers) watcher();
    });
  }
}
