// Workers with the agents that are installed there; how another agent is installed, and how another machine joins.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { NewWorkerInvite } from '../../../protocol/joining.ts';
import type { Settings } from '../../../protocol/settings.ts';
import { get, send } from '../api/client.ts';
import { workersQuery } from '../projects/data.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';

const LOOK_MS = 5000;

/** The step. */
export function WorkerStep() {
  const { data: workers, error } = useQuery({ ...workersQuery, refetchInterval: LOOK_MS });
  const { data: settings } = useQuery({
    queryKey: ['settings'],
    queryFn: async ({ signal }) => await get<Settings>('/settings', {}, signal),
  });
  const agent = settings?.keys.find(({ path }) => path === 'agents.default')?.value;
  const online = workers?.filter(({ state }) => state === 'online') ?? [];
  const has = online.some(({ agents }) => agents.some(({ name }) => name === agent));
  return (
    <div className="space-y-4">
      {error && <Problem error={error} />}
      {workers !== undefined && workers.length > 0 && (
        <Table label="Workers" heads={['Worker', 'State', 'Agents', 'Sandboxes']}>
          {workers.map(({ name, state, agents, isolations }) => (
            <tr key={name}>
              <Head>{name}</Head>
              <Cell>
                <Badge tone={state === 'online' ? 'good' : 'warn'}>{state}</Badge>
              </Cell>
              <Cell>
                {agents.length === 0 ? (
                  <span className="text-muted">none is installed</span>
                ) : (
                  agents.map((each) => each.name).join(', ')
                )}
              </Cell>
              <Cell>{isolations.join(', ')}</Cell>
            </tr>
          ))}
        </Table>
      )}
      {workers !== undefined && online.length === 0 && (
        <p className="text-warn">
          No worker is here. The daemon starts one of its own unless <code>worker.local</code> says otherwise;
          one by hand is started with <code>autocode worker start</code>.
        </p>
      )}
      {typeof agent === 'string' && (
        <div className="space-y-1">
          <p>
            Projects that name no agent use <strong>{agent}</strong>
            {has ? ', which is installed.' : ', which is installed on none of the workers that are here.'}
          </p>
          {!has && (
            <>
              <p>On the machine of the daemon, once with a network:</p>
              <Command words={`autocode agent install ${agent}`} />
            </>
          )}
          <p className="text-muted">
            <code>autocode agent list</code> tells which there are. An agent of your own is the agent{' '}
            <code>command</code>: any program, named in the project.
          </p>
        </div>
      )}
      <Invite />
    </div>
  );
}

function Command({ words }: { words: string }) {
  return (
    <pre tabIndex={0} className="overflow-x-auto rounded-md bg-sunken px-3 py-2">
      {words}
    </pre>
  );
}

/** What makes another machine a worker. */
function Invite() {
  const [invite, setInvite] = useState<NewWorkerInvite>();
  const [problem, setProblem] = useState<unknown>();
  const ask = async () => {
    setProblem(undefined);
    try {
      setInvite(await send<NewWorkerInvite>('POST', '/worker-invites', {}));
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <div className="space-y-2">
      <Button onClick={() => void ask()}>Invite another machine</Button>
      {problem !== undefined && <Problem error={problem} />}
      {invite !== undefined && (
        <>
          <p>
            On that machine, until {new Date(invite.expiresAt).toLocaleTimeString()}; it is shown this once:
          </p>
          <Command words={invite.command} />
        </>
      )}
    </div>
  );
}
