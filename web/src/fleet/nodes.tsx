// The nodes of the cluster that workers are placed on, drained and let go on.
import type { FleetNode } from '../../../protocol/fleet.ts';
import { act } from '../api/act.ts';
import { send } from '../api/client.ts';
import { useMayInAll } from '../session/session.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Section } from '../ui/page.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { gib } from './sizes.ts';

/** All of them. */
export function Nodes({ nodes }: { nodes: FleetNode[] }) {
  return (
    <Section title="Nodes of the cluster">
      <Table label="Nodes" heads={['Name', 'How it is', 'Has', 'Drivers', 'Actions']}>
        {nodes.map((node) => (
          <Row key={node.id} node={node} />
        ))}
      </Table>
    </Section>
  );
}

function Row({
  node: { id, name, address, state, eligible, draining, drivers, resources },
}: {
  node: FleetNode;
}) {
  const mayChange = useMayInAll('admin');
  const turn = async () =>
    await act(
      'fleet',
      async () =>
        draining || !eligible
          ? await send('DELETE', `/fleet/nodes/${id}/drain`)
          : await send('PUT', `/fleet/nodes/${id}/drain`, {}),
      () => (draining || !eligible ? `${name} is placed on again.` : `What is on ${name} moves away.`),
    );
  const word = draining || !eligible ? 'Undrain' : 'Drain';
  return (
    <tr>
      <Head>
        <bdi>{name}</bdi> <span className="block text-sm font-normal text-muted">{address}</span>
      </Head>
      <Cell>
        <Badge tone={state === 'ready' ? 'good' : 'bad'}>{state}</Badge>{' '}
        {draining && <Badge tone="warn">drains</Badge>}
        {!draining && !eligible && <Badge tone="warn">nothing is placed there</Badge>}
      </Cell>
      <Cell className="whitespace-nowrap">
        {resources.cores} cores, {gib(resources.memoryMib)}
      </Cell>
      <Cell>{drivers.join(', ')}</Cell>
      <Cell>
        {mayChange && (
          <Button look="quiet" aria-label={`${word} ${name}`} onClick={() => void turn()}>
            {word}
          </Button>
        )}
      </Cell>
    </tr>
  );
}
