// The drawing of a plot by uPlot, in the colours of the theme, as large as its place. Used by plot.tsx.
import { useEffect, useRef, type RefObject } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { stepOf, tickOf, type Layer, type Look, type Zone } from './plot-data.ts';

/** Classes of the colours of series, one after the other. */
export const COLOURS = [
  'text-plot-1',
  'text-plot-2',
  'text-plot-3',
  'text-plot-4',
  'text-plot-5',
  'text-plot-6',
  'text-plot-7',
  'text-plot-8',
] as const;
const FONT = "11px 'IBM Plex Sans Variable', sans-serif";
const HEIGHT = 220;
/** On paper nobody tells how wide it is. */
const PAPER_WIDTH = 640;
const paper = window.matchMedia('print');
/** Up to so many values stand out as points. */
const MOST_POINTS = 62;
/** All values are whole numbers. */
const INCREMENTS = Array.from({ length: 16 }, (_, power) =>
  [1, 2, 5].map((each) => each * 10 ** power),
).flat();

export interface Drawing {
  times: readonly number[];
  layers: Layer[];
  look: Look;
  zone: Zone;
  words: (value: number) => string;
}

/** Draws into `host`; tells the moment that is pointed at, and answers with what moves the cursor there. */
export function useDrawing(
  host: RefObject<HTMLDivElement | null>,
  drawing: Drawing,
  onCursor: (at: number | undefined) => void,
): (at: number) => void {
  const plot = useRef<uPlot>(null);
  const { times, layers } = drawing;
  useEffect(() => {
    const place = host.current!;
    const drawn = new uPlot(
      optionsOf(place, drawing, onCursor),
      [[...times], ...layers.map(({ values }) => [...values])],
      place,
    );
    plot.current = drawn;
    const fit = () => {
      const most = paper.matches ? PAPER_WIDTH : Infinity;
      drawn.setSize({ width: Math.min(most, place.clientWidth), height: HEIGHT });
    };
    const sizes = new ResizeObserver(fit);
    sizes.observe(place);
    const unwatch = watchTheme(fit);
    return () => {
      sizes.disconnect();
      unwatch();
      drawn.destroy();
    };
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- what is drawn, and nothing else, draws it again
  }, [times, layers]);
  return (at) => {
    const { current } = plot;
    current?.setCursor({ left: current.valToPos(times[at]!, 'x'), top: 0 });
  };
}

function optionsOf(
  place: HTMLElement,
  { times, layers, look, zone, words }: Drawing,
  onCursor: (at: number | undefined) => void,
): uPlot.Options {
  const half = stepOf(times) / 2;
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const ink = () => colourOf(place, 'text-muted');
  const line = () => colourOf(place, 'text-line');
  const bars = uPlot.paths.bars!({ size: [0.86, 48] });
  return {
    width: Math.max(place.clientWidth, 1),
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: look === 'lines' } },
    padding: [10, 8, 0, 0],
    tzDate: (at) => (zone === 'UTC' ? uPlot.tzDate(new Date(at * 1000), 'UTC') : new Date(at * 1000)),
    scales: {
      x: { range: () => [first - half, last + half] },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] },
    },
    axes: [
      {
        stroke: ink,
        font: FONT,
        size: 28,
        space: 64,
        grid: { show: false },
        ticks: { stroke: line, size: 4 },
        values: (_, splits, __, ___, apart) => splits.map((at) => tickOf(at, apart, zone)),
      },
      {
        stroke: ink,
        font: FONT,
        size: (_, values) => 14 + 6.5 * Math.max(0, ...(values ?? []).map((each) => each?.length ?? 0)),
        incrs: INCREMENTS,
        grid: { stroke: line, width: 1 },
        ticks: { show: false },
        values: (_, splits) => splits.map((value) => words(value)),
      },
    ],
    series: [
      {},
      ...layers.map(({ index }): uPlot.Series => {
        const colour = () => colourOf(place, COLOURS[index % COLOURS.length]!);
        if (look === 'stacked') return { fill: colour, width: 0, paths: bars, points: { show: false } };
        return {
          stroke: colour,
          width: 1.75,
          points: { show: times.length <= MOST_POINTS, fill: colour, size: 6 },
        };
      }),
    ],
    hooks: { setCursor: [({ cursor }) => onCursor(cursor.idx ?? undefined)] },
  };
}

/** A colour of the theme as it is now: a canvas knows no tokens. */
function colourOf(place: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.className = name;
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Calls back when the theme changes, also for paper. */
function watchTheme(changed: () => void): () => void {
  const media = [window.matchMedia('(prefers-color-scheme: dark)'), paper];
  for (const each of media) each.addEventListener('change', changed);
  const chosen = new MutationObserver(changed);
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  return () => {
    for (const each of media) each.removeEventListener('change', changed);
    chosen.disconnect();
  };
}
