// Traffic over time: those with the most, each in its colour, and all others. A moment that is chosen narrows what is listed below.
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { TrafficTimeline } from '../../../protocol/traffic.ts';
import { get } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { Choices } from '../ui/choices.tsx';
import { Section } from '../ui/page.tsx';
import { Plot } from '../ui/plot.tsx';
import { Problem } from '../ui/problem.tsx';
import { bytes } from './bytes.ts';
import { MEASURES, PERIODS, searchOf, type Drawn, type TrafficFilter } from './filter.ts';

const LOOK_MS = 60_000;

interface OverTimeProps {
  view: string;
  by: 'host' | 'run' | 'project';
  filter: TrafficFilter;
  drawn: Drawn;
}

/** The plot, with the choice of its time and of what it shows. */
export function OverTime({ view, by, filter, drawn }: OverTimeProps) {
  const navigate = useNavigate();
  const { period, of } = drawn;
  const { since: _, until: __, ...others } = filter;
  const { data, error } = useQuery({
    queryKey: ['egress', 'timeline', by, others, drawn],
    queryFn: async ({ signal }) => {
      const since = new Date(Date.now() - PERIODS[period]).toISOString();
      return await get<TrafficTimeline>('/traffic/timeline', { ...others, by, of, since }, signal);
    },
    refetchInterval: LOOK_MS,
  });
  const drawing = useMemo(() => data && drawingOf(data, of), [data, of]);
  const choose = (at: number) => {
    const chosen = { since: data!.times[at]!, until: data!.times[at + 1] ?? data!.until };
    void navigate({ to: '/traffic', search: searchOf(view, { ...others, ...chosen }, drawn) as never });
  };
  const choices = (names: string[], key: keyof Drawn, words: (name: string) => string) =>
    names.map((name) => ({
      name: words(name),
      search: searchOf(view, filter, { ...drawn, [key]: name }),
    }));
  return (
    <Section
      title="Over time"
      actions={
        <>
          <Choices
            label="How long"
            to="/traffic"
            chosen={`last ${period}`}
            choices={choices(Object.keys(PERIODS), 'period', (name) => `last ${name}`)}
          />
          <Choices
            label="What is drawn"
            to="/traffic"
            chosen={MEASURES[of]}
            choices={choices(Object.keys(MEASURES), 'of', (name) => MEASURES[name as Drawn['of']])}
          />
        </>
      }
    >
      {error && <Problem error={error} />}
      {drawing?.series.length === 0 && <p className="text-muted">Nothing in the last {period}.</p>}
      {drawing !== undefined && drawing.series.length > 0 && (
        <Plot
          label={`Traffic by ${by}: ${MEASURES[of]}`}
          times={drawing.times}
          series={drawing.series}
          look="stacked"
          zone={data?.bucket === 'day' ? 'UTC' : 'local'}
          words={of === 'bytesOut' || of === 'bytesIn' ? bytes : (value) => value.toLocaleString('en')}
          onPick={choose}
          picks="Enter narrows what is listed to that time."
        />
      )}
      {data?.complete === false && (
        <p className="text-warn">There is more than was looked through: what is oldest is missing.</p>
      )}
    </Section>
  );
}

function drawingOf({ times, groups, rest }: TrafficTimeline, of: Drawn['of']) {
  const named = groups.map(({ name, ...sums }) => ({
    name: name === null ? 'not known' : visible(name),
    values: sums[of],
  }));
  const all = rest === null ? named : [...named, { name: 'all others', values: rest[of] }];
  return {
    times: times.map((time) => Date.parse(time) / 1000),
    series: all.filter(({ values }) => values.some((value) => value > 0)),
  };
}
