// What the page knows of one log: how many lines there are, those around what is looked at, and what comes. Lines that are far away
// are forgotten and asked for again, so that a log of any length costs the same.
import type { LogLine, LogLines } from '../../../protocol/log.ts';
import { get } from '../api/client.ts';
import { followLog, logPath, type LogName } from './follow.ts';
import { LineSplitter } from './line-splitter.ts';

const PAGE = 200;
const MOST_LINES = 20_000;

/** What is shown of a log besides its lines. */
export interface LogState {
  opened: boolean;
  total: number;
  bytes: number;
  redacted: number;
  /** `open` while more may come; `truncated` where a lost worker's end of it is missing. */
  state: LogLines['state'];
  /** Whether what comes is heard; a log that has ended is heard to its end. */
  live: boolean;
  problem: unknown;
}

export class LogWindow {
  readonly #log: LogName;
  readonly #stop = new AbortController();
  readonly #lines = new Map<number, LogLine>();
  readonly #asked = new Set<number>();
  readonly #watchers = new Set<() => void>();
  #state: LogState = {
    opened: false,
    total: 0,
    bytes: 0,
    redacted: 0,
    state: 'open',
    live: false,
    problem: undefined,
  };
  #frame: number | undefined;
  #seen = { first: 1, last: 1 };

  constructor(log: LogName) {
    this.#log = log;
  }

  /** Shows the end of the log and follows it; until `stop`. */
  async start(): Promise<void> {
    try {
      const tail = await this.#ask({ limit: PAGE });
      const last = tail.lines.at(-1);
      const open = last !== undefined && last.at + last.bytes === tail.bytes; // its newline has not come
      const splitter = open
        ? new LineSplitter(last.line, last.at)
        : new LineSplitter(tail.total + 1, tail.bytes);
      const from = open ? last.at : tail.bytes;
      this.#change({ opened: true, live: true });
      for await (const piece of followLog(this.#log, {
        from,
        signal: this.#stop.signal,
        heard: (live) => this.#change({ live }),
      })) {
        this.#take(splitter, piece.bytes, piece.offset + piece.bytes.length);
      }
      if (!this.#stop.signal.aborted) await this.#ask({ limit: 1 });
      this.#change({ live: true });
    } catch (problem) {
      if (!this.#stop.signal.aborted) this.#change({ problem });
    }
  }

  stop(): void {
    this.#stop.abort();
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
  }

  /** What there is of a line now. */
  line(number: number): LogLine | undefined {
    return this.#lines.get(number);
  }

  /** Says which lines are looked at: those that are not known are asked for. */
  look(first: number, last: number): void {
    this.#seen = { first, last };
    for (let page = pageOf(first); page <= pageOf(Math.min(last, this.#state.total)); page++) {
      const from = page * PAGE + 1;
      for (let line = Math.max(from, first); line < from + PAGE && line <= last; line++) {
        if (line > this.#state.total || this.#lines.has(line)) continue;
        void this.#load(line, from + PAGE - line);
        break;
      }
    }
  }

  readonly state = (): LogState => this.#state;

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  async #load(from: number, limit: number): Promise<void> {
    if (this.#asked.has(pageOf(from))) return;
    this.#asked.add(pageOf(from));
    try {
      await this.#ask({ from, limit });
    } catch {
      // the next look asks again
    } finally {
      this.#asked.delete(pageOf(from));
    }
  }

  async #ask(query: { from?: number; limit: number }): Promise<LogLines> {
    const answer = await get<LogLines>(`${logPath(this.#log)}/lines`, query, this.#stop.signal);
    for (const line of answer.lines) this.#keep(line);
    this.#forget();
    const { state, redacted } = answer;
    this.#change({
      state,
      redacted,
      bytes: Math.max(answer.bytes, this.#state.bytes),
      total: Math.max(answer.total, this.#state.total),
    });
    return answer;
  }

  #take(splitter: LineSplitter, bytes: Uint8Array, end: number): void {
    const lines = splitter.take(bytes);
    const open = splitter.open();
    for (const line of open === undefined ? lines : [...lines, open]) this.#keep(line);
    this.#forget();
    const total = Math.max(this.#state.total, open?.line ?? lines.at(-1)?.line ?? 0);
    this.#change({ bytes: Math.max(this.#state.bytes, end), total });
  }

  // An answer that was under way may know less of the last line than what has come since.
  #keep(line: LogLine): void {
    const known = this.#lines.get(line.line);
    if (known === undefined || known.bytes < line.bytes) this.#lines.set(line.line, line);
  }

  #forget(): void {
    if (this.#lines.size <= MOST_LINES) return;
    const middle = (this.#seen.first + this.#seen.last) / 2;
    for (const line of this.#lines.keys())
      if (Math.abs(line - middle) > MOST_LINES / 4) this.#lines.delete(line);
  }

  // However much comes, the page is drawn once a frame.
  #change(change: Partial<LogState>): void {
    this.#state = { ...this.#state, ...change };
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      for (const watcher of this.#watchers) watcher();
    });
  }
}

function pageOf(line: number): number {
  return Math.floor((line - 1) / PAGE);
}
