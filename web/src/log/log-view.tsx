// The lines of a log that are in view. Used by the log page.
import { memo, useEffect, useImperativeHandle, useRef, useSyncExternalStore, type Ref } from 'react';
import type { LogLine } from '../../../protocol/log.ts';
import { spansOf } from './ansi.ts';
import type { LogWindow } from './log-window.ts';
import { useScroller } from './scroller.ts';
import { visible } from './visible.ts';
import { eventLine } from './event-line.ts';

const LINE_HEIGHT = 20;
const OVERSCAN = 30;
/** More of a line is not drawn; it is in the file. */
const DRAWN = 4_000;

export interface LogViewHandle {
  show(line: number): void;
  focus(): void;
}

interface LogViewProps {
  log: LogWindow;
  label: string;
  events: boolean;
  /** The line that is pointed at, from 1. */
  marked: number | undefined;
  follow: boolean;
  onFollow(follow: boolean): void;
  ref: Ref<LogViewHandle>;
}

/** A window of the log, as wide and high as what it stands in. */
export function LogView({ log, label, events, marked, follow, onFollow, ref }: LogViewProps) {
  const { total } = useSyncExternalStore(log.subscribe, log.state);
  const element = useRef<HTMLDivElement>(null);
  const { height, first, count, top, show, scrolled } = useScroller(element, {
    total,
    lineHeight: LINE_HEIGHT,
    follow,
    onUser: onFollow,
  });
  useImperativeHandle(ref, () => ({ show: (line) => show(line - 1), focus: () => element.current?.focus() }));
  const from = Math.max(1, first + 1 - OVERSCAN);
  const to = Math.min(total, first + count + OVERSCAN);
  useEffect(() => log.look(from, to));
  const digits = String(total).length;
  return (
    <div
      ref={element}
      role="region"
      aria-label={label}
      tabIndex={0}
      onScroll={scrolled}
      className="relative h-full overflow-auto bg-surface font-mono text-sm leading-5 [contain:strict] [overflow-anchor:none]"
    >
      <div style={{ height }} />
      <div
        className="absolute left-0 min-w-full"
        style={{ top: top - (first + 1 - from) * LINE_HEIGHT }}
        data-first={from}
      >
        {Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index).map((line) => (
          <Row
            key={line}
            number={line}
            line={log.line(line)}
            digits={digits}
            marked={line === marked}
            events={events}
          />
        ))}
      </div>
    </div>
  );
}

interface RowProps {
  number: number;
  line: LogLine | undefined;
  digits: number;
  marked: boolean;
  events: boolean;
}

const Row = memo(function Row({ number, line, digits, marked, events }: RowProps) {
  return (
    <div
      className={`flex h-5 whitespace-pre [tab-size:8] ${marked ? 'bg-accent/15' : ''}`}
      data-line={number}
      {...(marked ? { 'aria-current': true as const } : {})}
    >
      <span
        className="sticky left-0 shrink-0 border-r border-line bg-surface px-2 text-right text-muted select-none"
        style={{ width: `calc(${digits}ch + 1.1rem)` }}
      >
        {number}
      </span>
      <span className="pl-2">{line === undefined ? '' : <Text line={line} events={events} />}</span>
    </div>
  );
});

function Text({ line, events }: { line: LogLine; events: boolean }) {
  const rest = line.bytes > line.text.length || line.text.length > DRAWN;
  const text = line.text.slice(0, DRAWN);
  const event = events ? eventLine(line.text) : undefined;
  return (
    <>
      {event === undefined ? (
        spansOf(text).map(({ text: part, className }, index) => (
          <span key={index} className={className}>
            {part}
          </span>
        ))
      ) : (
        <>
          <span className="text-muted">{event.time} </span>
          <span className={event.className}>{event.what.padEnd(12)}</span>
          {visible(event.text).slice(0, DRAWN)}
        </>
      )}
      {rest && event === undefined && line.bytes > DRAWN && (
        <span className="text-muted"> … {line.bytes.toLocaleString()} bytes in all</span>
      )}
    </>
  );
}
