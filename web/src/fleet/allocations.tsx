// The allocations of workers, node by node: how each is, what happened to it last, what it asked for.
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { FleetAllocation } from '../../../protocol/fleet.ts';
import { visible } from '../log/visible.ts';
import { useMayInAll } from '../session/session.ts';
import { Ago } from '../ui/ago.tsx';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Section } from '../ui/page.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { gib } from './sizes.ts';
import { StopDialog } from './stop-dialog.tsx';

const TONES: Record<string, Tone> = {
  running: 'good',
  pending: 'info',
  failed: 'bad',
  lost: 'bad',
  unknown: 'warn',
};

/** How one is, in a word. */
export function AllocationState({ state, wanted, healthy }: FleetAllocation) {
  return (
    <>
      <Badge tone={TONES[state] ?? 'neutral'}>{state}</Badge>{' '}
      {!wanted && state === 'running' && <Badge tone="warn">is being stopped</Badge>}
      {wanted && healthy === false && <Badge tone="bad">not healthy</Badge>}
    </>
  );
}

/** All of them; those that ended well are shown when they are asked for. */
export function Allocations({ allocations }: { allocations: FleetAllocation[] }) {
  const [whole, setWhole] = useState(false);
  const [stopped, setStopped] = useState<FleetAllocation>();
  const ended = allocations.filter(({ state }) => state === 'complete');
  const shown = (whole ? allocations : allocations.filter(({ state }) => state !== 'complete')).toSorted(
    (a, b) => a.node.localeCompare(b.node) || b.since.localeCompare(a.since),
  );
  if (allocations.length === 0) return null;
  return (
    <Section
      title="Allocations"
      actions={
        ended.length > 0 && (
          <Button look="quiet" aria-pressed={whole} onClick={() => setWhole(!whole)}>
            {whole ? 'Hide' : 'Show'} {ended.length} that ended
          </Button>
        )
      }
    >
      {shown.length === 0 && <p className="text-muted">None runs now.</p>}
      {shown.length > 0 && (
        <Table
          label="Allocations"
          heads={['Node', 'Allocation', 'Job', 'How it is', 'Changed', 'Asks for', 'Actions']}
        >
          {shown.map((each, index) => (
            <Row
              key={each.id}
              allocation={each}
              isFirst={shown[index - 1]?.node !== each.node}
              onStop={() => setStopped(each)}
            />
          ))}
        </Table>
      )}
      {stopped !== undefined && <StopDialog allocation={stopped} onClose={() => setStopped(undefined)} />}
    </Section>
  );
}

interface RowProps {
  allocation: FleetAllocation;
  /** Of its node. */
  isFirst: boolean;
  onStop: () => void;
}

function Row({ allocation, isFirst, onStop }: RowProps) {
  const { id, node, job, version, message, restarts, changedAt, memoryMib, wanted, state } = allocation;
  const mayStop = useMayInAll('admin');
  const short = id.slice(0, 8);
  return (
    <tr>
      <Head className="whitespace-nowrap">
        <bdi className={isFirst ? '' : 'sr-only'}>{node}</bdi>
      </Head>
      <Cell>
        <Link to={`/fleet/allocations/${id}` as '/'} className="font-mono text-accent hover:underline">
          {short}
        </Link>
      </Cell>
      <Cell className="min-w-44">
        <bdi className="break-all">{job}</bdi>
        {version !== null && <span className="text-sm text-muted"> version {version}</span>}
      </Cell>
      <Cell className="max-w-md min-w-40">
        <AllocationState {...allocation} />
        <span className="block text-sm break-words text-muted">
          <bdi>{visible(message)}</bdi>
          {restarts > 0 && `, restarted ${restarts === 1 ? 'once' : `${restarts} times`}`}
        </span>
      </Cell>
      <Cell className="whitespace-nowrap">
        <Ago at={changedAt} />
      </Cell>
      <Cell className="whitespace-nowrap">{memoryMib === null ? '–' : gib(memoryMib)}</Cell>
      <Cell>
        {mayStop && wanted && (state === 'running' || state === 'pending') && (
          <Button look="quiet" aria-label={`Stop ${short}`} onClick={onStop}>
            Stop
          </Button>
        )}
      </Cell>
    </tr>
  );
}
