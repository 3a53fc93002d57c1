// What the policy says of a request that nobody sends.
import { useState, type FormEvent } from 'react';
import type { EgressVerdict } from '../../../protocol/egress.ts';
import { send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Field, Input } from '../ui/field.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';

/** Why it is so, in words. */
const REASONS: Record<EgressVerdict['reason'], string> = {
  rule: 'a rule says so',
  recording: 'record mode lets out all but private addresses',
  'no-rule': 'no rule allows it',
  'private-address': 'it leads to a private address',
  'names-differ': 'its names differ',
  malformed: 'it is malformed',
};

/** By a run of the project, or of none. */
export function TryRequest({ project }: { project: string | undefined }) {
  const [verdict, setVerdict] = useState<EgressVerdict>();
  const [problem, setProblem] = useState<unknown>();
  const ask = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    setVerdict(undefined);
    setProblem(undefined);
    try {
      const test = { url: given.get('url'), method: given.get('method'), project };
      setVerdict(await send<EgressVerdict>('POST', '/egress-policy/tests', test));
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <Section title="Try a request">
      <form onSubmit={(event) => void ask(event)} className="flex flex-wrap items-end gap-3">
        <Field label="Method">
          <Input name="method" required defaultValue="GET" maxLength={32} className="max-w-24" />
        </Field>
        <div className="min-w-64 flex-1">
          <Field label="Address">
            <Input name="url" type="url" required placeholder="https://registry.example.com/package" />
          </Field>
        </div>
        <Button type="submit">Try</Button>
      </form>
      {problem !== undefined && <Problem error={problem} />}
      {verdict !== undefined && (
        <p role="status">
          <Badge tone={verdict.decision === 'allow' ? 'good' : 'bad'}>
            {verdict.decision === 'allow' ? 'let out' : 'not let out'}
          </Badge>{' '}
          {REASONS[verdict.reason]}
          {verdict.rule !== null && (
            <>
              : <code className="break-all">{visible(verdict.rule)}</code>
            </>
          )}
          {verdict.allowedBy !== null && (
            <>
              . It would be by <code className="break-all">{visible(verdict.allowedBy)}</code>
            </>
          )}
        </p>
      )}
    </Section>
  );
}
