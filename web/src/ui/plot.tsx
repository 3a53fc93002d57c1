// Values over time, as lines or stacked bars: what is pointed at is told in the legend, by arrow keys too, and all of it is a table
// below. Loads uPlot: import it in pages alone.
import { useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { COLOURS, useDrawing } from './plot-canvas.ts';
import {
  layersOf,
  momentOf,
  movedBy,
  rowsOf,
  stepOf,
  type Look,
  type Series,
  type Zone,
} from './plot-data.ts';
import { Cell, Head, Table } from './table.tsx';

interface PlotProps {
  label: string;
  /** Seconds since 1970, in order. */
  times: readonly number[];
  /** Whole numbers; their array is the same as long as they are. */
  series: readonly Series[];
  look: Look;
  zone?: Zone;
  /** A value in words. */
  words: (value: number) => string;
  /** What a click, or Enter, at a moment does; `picks` says it. */
  onPick?: ((at: number) => void) | undefined;
  picks?: string;
}

/** The plot, its legend, and the table that says the same. */
export function Plot({ label, times, series, look, zone = 'local', words, onPick, picks }: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [pointed, setAt] = useState<number>();
  const at = pointed !== undefined && pointed < times.length ? pointed : undefined;
  const layers = useMemo(() => layersOf(series, hidden, look), [series, hidden, look]);
  const moveTo = useDrawing(host, { times, layers, look, zone, words }, setAt);
  const step = stepOf(times);
  const valueOf = (values: Series['values']) =>
    at === undefined ? (look === 'stacked' ? sumOf(values) : null) : (values[at] ?? null);
  const told = (value: number | null) => (value === null ? '–' : words(value));
  const shown = series.filter(({ name }) => !hidden.has(name));
  const now =
    at === undefined
      ? `${times.length} values, move with the arrow keys`
      : [
          momentOf(times[at]!, step, zone),
          ...shown.map(({ name, values }) => `${name} ${told(valueOf(values))}`),
        ].join(', ');
  const press = (event: KeyboardEvent) => {
    const next = movedBy(event.key, at, times.length);
    if (next !== undefined) moveTo(next);
    else if (event.key === 'Enter' && at !== undefined && onPick !== undefined) onPick(at);
    else return;
    event.preventDefault();
  };
  const toggle = (name: string) => {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    setHidden(next);
  };
  return (
    <figure className="rounded-lg border border-line bg-surface p-3">
      <div
        ref={host}
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, times.length - 1)}
        aria-valuenow={at ?? 0}
        aria-valuetext={now}
        aria-description={picks}
        onKeyDown={press}
        onClick={() => at !== undefined && onPick?.(at)}
        className={`h-[220px] overflow-hidden rounded-sm [&_.u-cursor-x]:border-muted! ${onPick === undefined ? '' : 'cursor-pointer'}`}
      />
      <figcaption className="mt-2 space-y-2">
        <div className="flex flex-wrap items-baseline gap-x-4 gap-y-1">
          <span className="min-w-32 font-medium">
            {at === undefined ? 'All' : momentOf(times[at]!, step, zone)}
          </span>
          {series.map(({ name, values }, index) => (
            <LegendEntry
              key={name}
              name={name}
              colour={COLOURS[index % COLOURS.length]!}
              shown={!hidden.has(name)}
              value={told(valueOf(values))}
              onToggle={() => toggle(name)}
            />
          ))}
        </div>
        <Rows {...{ label, times, series, zone, step, told, onPick }} />
      </figcaption>
    </figure>
  );
}

interface LegendEntryProps {
  name: string;
  colour: string;
  shown: boolean;
  value: string;
  onToggle: () => void;
}

function LegendEntry({ name, colour, shown, value, onToggle }: LegendEntryProps) {
  return (
    <label className="inline-flex max-w-full cursor-pointer items-baseline gap-1.5 rounded-sm has-focus-visible:outline-2 has-focus-visible:outline-accent">
      <input type="checkbox" className="sr-only" checked={shown} onChange={onToggle} />
      <svg aria-hidden viewBox="0 0 10 10" className={`size-2.5 shrink-0 ${colour}`}>
        <rect
          x="1"
          y="1"
          width="8"
          height="8"
          rx="2"
          stroke="currentColor"
          fill={shown ? 'currentColor' : 'none'}
        />
      </svg>
      <bdi className={`truncate ${shown ? '' : 'text-muted line-through'}`}>{name}</bdi>
      <span className="text-muted tabular-nums">{value}</span>
    </label>
  );
}

interface RowsProps extends Pick<PlotProps, 'label' | 'times' | 'series' | 'onPick'> {
  zone: Zone;
  step: number;
  told: (value: number | null) => string;
}

/** The same as a table, made when it is asked for. */
function Rows({ label, times, series, zone, step, told, onPick }: RowsProps) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)} className="print:hidden">
      <summary className="w-fit text-sm text-muted">As a table</summary>
      {open && (
        <div className="mt-2 max-h-80 overflow-y-auto">
          <Table label={`${label}, as a table`} heads={['When', ...series.map(({ name }) => name)]}>
            {rowsOf(times, series).map(({ time, at, values }) => (
              <tr key={time}>
                <Head className="whitespace-nowrap">
                  {onPick === undefined ? (
                    momentOf(time, step, zone)
                  ) : (
                    <button type="button" className="text-accent hover:underline" onClick={() => onPick(at)}>
                      {momentOf(time, step, zone)}
                    </button>
                  )}
                </Head>
                {values.map((value, index) => (
                  <Cell key={series[index]!.name}>{told(value)}</Cell>
                ))}
              </tr>
            ))}
          </Table>
        </div>
      )}
    </details>
  );
}

function sumOf(values: Series['values']): number {
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}
