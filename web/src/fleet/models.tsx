// GPUs with whose their memory is, and the models that the appliance runs on them: their state, and what is asked of them.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type {
  EngineFigures,
  Gpu,
  GpuList,
  LocalModelStatus,
  ModelAction,
  ModelCommand,
} from '../../../protocol/local-model.ts';
import { act } from '../api/act.ts';
import { get, send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { useMayInAll } from '../session/session.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { Told } from '../ui/told.tsx';
import { GpuBar } from './gpu-bar.tsx';
import { gib } from './sizes.ts';
import { Why } from './why.tsx';

const LOOK_MS = 5_000;

/** GPUs and models. */
export function Models() {
  const gpus = useQuery({
    queryKey: ['models', 'gpus'],
    queryFn: async ({ signal }) => await get<GpuList>('/gpus', {}, signal),
    refetchInterval: LOOK_MS,
  });
  const models = useQuery({
    queryKey: ['models', 'local'],
    queryFn: async ({ signal }) => await get<LocalModelStatus[]>('/local-models', {}, signal),
    refetchInterval: LOOK_MS,
  });
  const [asked, setAsked] = useState<string>();
  const [list, all] = [gpus.data, models.data];
  const error = gpus.error ?? models.error;
  return (
    <Section title="GPUs and models">
      {error && <Problem error={error} />}
      {list !== undefined && list.gpus.length === 0 && all?.length === 0 && (
        <Empty title="No models run here">
          <p>{list.problem}</p>
          <p>
            With GPUs in this machine, <code>models.local</code> in the configuration lets the appliance load
            models from <code>config/models.yaml</code>; <code>autocode model plan</code> tells what fits.
          </p>
        </Empty>
      )}
      {list !== undefined && list.problem !== null && (all?.length ?? 0) > 0 && (
        <p className="text-warn">{list.problem}</p>
      )}
      <div className="grid gap-2 lg:grid-cols-2">
        {list?.gpus.map((gpu) => (
          <GpuCard key={gpu.index} gpu={gpu} models={all ?? []} />
        ))}
      </div>
      {all !== undefined && all.length > 0 && (
        <Table label="Models" heads={['Name', 'State', 'On', 'Memory on each', 'Requests', 'Actions']}>
          {all.map((model) => (
            <Row key={model.name} model={model} onWhy={() => setAsked(model.name)} />
          ))}
        </Table>
      )}
      {asked !== undefined && <Why model={asked} onClose={() => setAsked(undefined)} />}
    </Section>
  );
}

function GpuCard({ gpu, models }: { gpu: Gpu; models: LocalModelStatus[] }) {
  const { index, name, state, detail, utilisation, temperature, watts } = gpu;
  const figures = [
    utilisation === null ? undefined : `${utilisation} % busy`,
    temperature === null ? undefined : `${temperature} °C`,
    watts === null ? undefined : `${Math.round(watts)} W`,
  ].filter((each) => each !== undefined);
  return (
    <article aria-label={`GPU ${index}`} className="space-y-1.5 rounded-lg border border-line bg-surface p-3">
      <p className="flex flex-wrap items-center gap-2">
        <span className="font-medium">
          GPU {index}: <bdi>{name}</bdi>
        </span>
        {state !== 'ok' && <Badge tone={state === 'lost' ? 'bad' : 'warn'}>{state}</Badge>}
        <span className="text-sm text-muted">{figures.join(', ')}</span>
      </p>
      <GpuBar gpu={gpu} models={models} />
      {state !== 'ok' && <p className="text-bad">{detail}</p>}
    </article>
  );
}

const TONES: Record<LocalModelStatus['state'], Tone> = {
  unloaded: 'neutral',
  loading: 'info',
  ready: 'good',
  asleep: 'review',
  stopping: 'info',
  failed: 'bad',
};

/** What may be asked of a model in a state. */
const ACTIONS: Record<LocalModelStatus['state'], ModelAction[]> = {
  unloaded: ['load'],
  loading: ['unload'],
  ready: ['sleep', 'unload'],
  asleep: ['wake', 'unload'],
  stopping: [],
  failed: ['load'],
};

/** What an engine tells of itself, in words; what it does not tell is left out. */
function figuresOf(figures: EngineFigures): string[] {
  const { tokensPerSecond, firstTokenMs, kvUsage, prefixHits, running, waiting } = figures;
  const percent = (part: number) => `${Math.round(part * 100)} %`;
  return [
    `engine: ${running} run, ${waiting} in its queue`,
    tokensPerSecond === null ? '' : `${Math.round(tokensPerSecond)} tokens a second`,
    firstTokenMs === null ? '' : `first token after ${Math.round(firstTokenMs)} ms`,
    kvUsage === null ? '' : `KV cache ${percent(kvUsage)} full`,
    prefixHits === null ? '' : `${percent(prefixHits)} of prompts cached`,
  ].filter((each) => each !== '');
}

function Row({ model, onWhy }: { model: LocalModelStatus; onWhy: () => void }) {
  const { name, engine, load, state, weights, gpus, problem, remedy, inFlight, waiting } = model;
  const mayAsk = useMayInAll('operator');
  const mib = model.measuredMib ?? model.reportedMib ?? model.predictedMib;
  const ask = async (action: ModelAction) =>
    await act(
      'models',
      async () => await send<ModelCommand>('POST', `/local-models/${name}/commands`, { action }),
      ({ detail }) => `${name}: ${detail === '' ? `${action} is asked for.` : detail}`,
    );
  return (
    <tr>
      <Head>
        {name}
        <span className="block text-sm font-normal text-muted">
          {engine}, {load}
        </span>
      </Head>
      <Cell className="max-w-md">
        <Badge tone={TONES[state]}>{state}</Badge>{' '}
        {weights !== 'here' && <Badge tone="warn">weights {weights}</Badge>}
        {problem !== null && (
          <span className="block text-sm break-words text-bad">
            <Told words={visible(`${problem} ${remedy ?? ''}`)} />
          </span>
        )}
      </Cell>
      <Cell>{gpus.length === 0 ? '–' : gpus.join(', ')}</Cell>
      <Cell className="whitespace-nowrap">{mib === null ? '–' : gib(mib)}</Cell>
      <Cell className="whitespace-nowrap">
        {inFlight} at work, {waiting} wait
        {model.figures !== null &&
          figuresOf(model.figures).map((each) => (
            <span key={each} className="block text-sm text-muted">
              {each}
            </span>
          ))}
      </Cell>
      <Cell>
        <span className="flex gap-1">
          {mayAsk &&
            ACTIONS[state].map((action) => (
              <Button
                key={action}
                look="quiet"
                aria-label={`${action} ${name}`}
                onClick={() => void ask(action)}
              >
                {action}
              </Button>
            ))}
          <Button look="quiet" aria-label={`Why is ${name} so`} onClick={onWhy}>
            why
          </Button>
        </span>
      </Cell>
    </tr>
  );
}
