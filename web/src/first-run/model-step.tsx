// Models that agents can use now, each with a test; another engine; models on GPUs of this machine.
import { useQuery } from '@tanstack/react-query';
import type { Settings } from '../../../protocol/settings.ts';
import { get } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { modelsQuery } from '../projects/data.ts';
import { Badge } from '../ui/badge.tsx';
import { Problem } from '../ui/problem.tsx';
import { enginesOf } from './engine.ts';
import { EngineForm } from './engine-form.tsx';
import { OwnGpus } from './own-gpus.tsx';
import { ModelTestButton } from './model-test.tsx';
import { Restart } from '../settings/restart.tsx';

/** The step. */
export function ModelStep() {
  const models = useQuery(modelsQuery);
  const settings = useQuery({
    queryKey: ['settings'],
    queryFn: async ({ signal }) => await get<Settings>('/settings', {}, signal),
  });
  const real = models.data?.filter(({ kind }) => kind !== 'replay') ?? [];
  const told = settings.data;
  const error = models.error ?? settings.error;
  return (
    <div className="space-y-4">
      {error && <Problem error={error} />}
      {told && <Restart settings={told} part="models." />}
      {real.length > 0 && (
        <ul aria-label="Models" className="divide-y divide-line rounded-md border border-line">
          {real.map(({ name, isDefault, roles, protocols, external }) => (
            <li key={name} className="px-3 py-2">
              <div className="flex flex-wrap items-center gap-2">
                <bdi className="font-medium">{visible(name)}</bdi>
                {isDefault && <Badge tone="good">default</Badge>}
                {external && <Badge tone="warn">outside</Badge>}
                {roles.map((role) => (
                  <Badge key={role} tone="info">
                    {role}
                  </Badge>
                ))}
                <span className="text-sm text-muted">{protocols.join(', ')}</span>
              </div>
              <ModelTestButton model={name} />
            </li>
          ))}
        </ul>
      )}
      <details open={real.length === 0 && told !== undefined && enginesOf(told).length === 0}>
        <summary className="py-1 font-medium">
          {real.length === 0 ? 'A server or an API' : 'Another server or API, or one of these anew'}
        </summary>
        {told && <EngineForm settings={told} first={real.length === 0} />}
      </details>
      {told && <OwnGpus settings={told} />}
      <p className="text-sm text-muted">
        An agent that needs no model, as a program of your own by the agent <code>command</code>, works
        without one: skip this step then.
      </p>
    </div>
  );
}
