// Rules that are proposed by what a project was refused, or did while it recorded; those that are ticked go into the editor.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { EgressProposal } from '../../../protocol/egress.ts';
import { get } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { Button } from '../ui/button.tsx';
import { Field, Select } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';

const HOUR_MS = 3_600_000;
const SINCE = { 'the last hour': 1, 'the last day': 24, 'the last week': 168 };

interface LearnProps {
  project: string;
  /** Takes rules over; for those who may edit. */
  onTake: ((rules: string[]) => void) | undefined;
}

/** The proposal, each rule with what it is for. */
export function Learn({ project, onTake }: LearnProps) {
  const [since, setSince] = useState<keyof typeof SINCE>('the last week');
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const { data, error } = useQuery({
    queryKey: ['egress', 'proposal', project, since],
    queryFn: async ({ signal }) => {
      const from = new Date(Date.now() - SINCE[since] * HOUR_MS).toISOString();
      return await get<EgressProposal>('/egress-policy/proposal', { project, since: from }, signal);
    },
  });
  const taken = data?.rules.filter(({ rule }) => !left.has(rule)).map(({ rule }) => rule) ?? [];
  const tick = (rule: string) => {
    const next = new Set(left);
    if (!next.delete(rule)) next.add(rule);
    setLeft(next);
  };
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap items-end gap-3">
        <Field label="By what runs asked for in">
          <Select value={since} onChange={(event) => setSince(event.currentTarget.value as typeof since)}>
            {Object.keys(SINCE).map((each) => (
              <option key={each}>{each}</option>
            ))}
          </Select>
        </Field>
        {onTake !== undefined && data !== undefined && data.rules.length > 0 && (
          <Button disabled={taken.length === 0} onClick={() => onTake(taken)}>
            Put {taken.length === 1 ? '1 rule' : `${taken.length} rules`} into the editor
          </Button>
        )}
      </div>
      {error && <Problem error={error} />}
      {data?.rules.length === 0 && (
        <p className="text-muted">Nothing that was asked for needs another rule.</p>
      )}
      {data !== undefined && data.rules.length > 0 && (
        <Table label="Proposed rules" heads={['Rule', 'Requests', 'Runs', 'One of them']}>
          {data.rules.map(({ rule, requests, runs, example }) => (
            <tr key={rule}>
              <Head className="min-w-64">
                <label className="flex gap-2">
                  {onTake !== undefined && (
                    <input
                      type="checkbox"
                      className="mt-1 size-3.5 shrink-0 accent-accent"
                      checked={!left.has(rule)}
                      onChange={() => tick(rule)}
                    />
                  )}
                  <code className="break-all">
                    <bdi>{visible(rule)}</bdi>
                  </code>
                </label>
              </Head>
              <Cell>{requests}</Cell>
              <Cell>{runs}</Cell>
              <Cell className="min-w-48">
                <bdi className="break-all">{visible(example)}</bdi>
              </Cell>
            </tr>
          ))}
        </Table>
      )}
      {data !== undefined && data.skipped.length > 0 && (
        <details>
          <summary className="w-fit text-muted">
            No rule is proposed for {data.skipped.length} other{data.skipped.length > 1 && 's'}
          </summary>
          <ul className="mt-1 space-y-0.5 text-sm">
            {data.skipped.map(({ what, requests, why }) => (
              <li key={what}>
                <code className="break-all">
                  <bdi>{visible(what)}</bdi>
                </code>
                <span className="text-muted">
                  {' '}
                  {requests} ×, {why}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
