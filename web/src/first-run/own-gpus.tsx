// Models that the appliance runs itself on GPUs of this machine: whether it does, and which would fit.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { GpuList, LocalModelStatus, ModelPlan } from '../../../protocol/local-model.ts';
import type { Settings } from '../../../protocol/settings.ts';
import { get, send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Problem } from '../ui/problem.tsx';
import { Told } from '../ui/told.tsx';
import { nextOf } from './engine.ts';

/** The key whose presence lets the appliance run models; its value is what it is anyway. */
const SWITCH = 'models.local.nvidiaSmi';

/** Folded away, as most begin with a server that is there. */
export function OwnGpus({ settings }: { settings: Settings }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className="py-1 font-medium">GPUs of this machine</summary>
      {open && <Gpus settings={settings} />}
    </details>
  );
}

function Gpus({ settings }: { settings: Settings }) {
  const cache = useQueryClient();
  const [problem, setProblem] = useState<unknown>();
  const { data: gpus, error } = useQuery({
    queryKey: ['models', 'gpus'],
    queryFn: async ({ signal }) => await get<GpuList>('/gpus', {}, signal),
  });
  const { data: models = [] } = useQuery({
    queryKey: ['models', 'local'],
    queryFn: async ({ signal }) => await get<LocalModelStatus[]>('/local-models', {}, signal),
  });
  const turnOn = async () => {
    try {
      const { version } = await get<Settings>('/settings');
      const patch = { version, set: { [SWITCH]: 'nvidia-smi' }, unset: [] };
      cache.setQueryData(['settings'], await send<Settings>('PATCH', '/settings', patch));
    } catch (cause) {
      setProblem(cause);
    }
  };
  const isOff = models.length === 0 && nextOf(settings, SWITCH) == null;
  return (
    <div className="mt-2 space-y-2">
      {error && <Problem error={error} />}
      {gpus?.gpus.map(({ index, name }) => (
        <p key={index}>
          GPU {index}: <bdi>{visible(name)}</bdi>
        </p>
      ))}
      {gpus?.problem != null && (
        <p className="text-muted">
          <Told words={visible(gpus.problem)} />
        </p>
      )}
      {models.length > 0 && <WhatFits models={models} />}
      {isOff && settings.readOnly === null && (
        <Button onClick={() => void turnOn()}>Let the appliance run models on its GPUs</Button>
      )}
      {problem !== undefined && <Problem error={problem} />}
    </div>
  );
}

function WhatFits({ models }: { models: LocalModelStatus[] }) {
  const names = models.map(({ name }) => name).slice(0, 20);
  const { data, error, isFetching } = useQuery({
    queryKey: ['models', 'plan', names],
    queryFn: async () => await send<ModelPlan>('POST', '/model-plans', { models: names }),
    retry: false,
  });
  return (
    <>
      {isFetching && <p className="text-muted">Looking what fits …</p>}
      {error && <Problem error={error} />}
      <ul className="space-y-1">
        {data?.models.map(({ model, fits, why, would }) => (
          <li key={model}>
            <Badge tone={fits ? 'good' : 'neutral'}>{fits ? 'fits' : 'does not fit'}</Badge>{' '}
            <span className="font-medium">{model}</span>{' '}
            <span className="text-muted">{visible([why, ...would].join(' '))}</span>
          </li>
        ))}
      </ul>
      <p>
        <Link to="/fleet" className="text-accent hover:underline">
          Load one on the fleet page
        </Link>
      </p>
    </>
  );
}
