// The policy as admins edit it: nothing is set before it was shown what it changes. What is typed is kept until it is applied or
// discarded, whatever becomes of the policy meanwhile.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type {
  EgressPolicy,
  EgressPolicyChange,
  EgressPreset,
  EgressRehearsal,
} from '../../../protocol/egress.ts';
import { ApiError, get, send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { visible } from '../log/visible.ts';
import { Button } from '../ui/button.tsx';
import { Check } from '../ui/check.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { PolicyArea } from './policy-area.tsx';
import { Difference, Effect } from './policy-change.tsx';
import { presetsIn, problemsIn, withPreset } from './policy-text.ts';

const WEEK_MS = 7 * 86_400_000;

/** A text that was begun from a version. */
export interface Draft {
  text: string;
  version: number;
}

interface PolicyEditorProps {
  policy: EgressPolicy;
  /** Undefined: nothing was changed. */
  draft: Draft | undefined;
  onDraft: (draft: Draft | undefined) => void;
}

/** The field, the presets, and what a change would do. */
export function PolicyEditor({ policy, draft, onDraft }: PolicyEditorProps) {
  const [shown, setShown] = useState<{ text: string; rehearsal?: EgressRehearsal; error?: unknown }>();
  const project = policy.project ?? undefined;
  const text = draft?.text ?? policy.text;
  const edit = (next: string) =>
    onDraft(next === policy.text ? undefined : { text: next, version: draft?.version ?? policy.version });
  const look = async () => {
    try {
      const since = new Date(Date.now() - WEEK_MS).toISOString();
      const rehearsal = await send<EgressRehearsal>('POST', '/egress-policy/rehearsals', {
        project,
        text,
        since,
      });
      setShown({ text, rehearsal });
    } catch (error) {
      setShown({ text, error });
    }
  };
  const apply = async (expectedVersion: number) => {
    try {
      const body = { project, text, expectedVersion };
      const { version } = await send<EgressPolicyChange>('PUT', '/egress-policy', body);
      toast(`Version ${version} of the policy holds.`);
      onDraft(undefined);
      setShown(undefined);
    } catch (error) {
      setShown({ text, error });
    }
    await queries.invalidateQueries({ queryKey: ['egress'] });
  };
  const current = shown?.text === text ? shown : undefined;
  const problems = current?.error instanceof ApiError ? problemsIn(current.error.details) : undefined;
  return (
    <div className="space-y-3">
      {draft !== undefined && draft.version !== policy.version && (
        <p role="alert" className="rounded-md border border-warn/40 bg-warn/8 px-3 py-2 text-warn">
          {policy.author} has set version {policy.version} while you edited. Your text is kept: look at what
          it would change now, or discard it to begin from theirs.
        </p>
      )}
      <PolicyArea label="Rules" text={text} problems={problems ?? []} onChange={edit} />
      <Presets text={text} onChange={edit} />
      {draft !== undefined && (
        <div className="flex flex-wrap gap-2">
          <Button look={current?.rehearsal === undefined ? 'primary' : 'normal'} onClick={() => void look()}>
            Show what changes
          </Button>
          <Button onClick={() => onDraft(undefined)}>Discard</Button>
        </div>
      )}
      {current?.error !== undefined && problems === undefined && <Problem error={current.error} />}
      {current?.rehearsal !== undefined && (
        <section aria-label="What changes" className="space-y-3 rounded-lg border border-line bg-surface p-3">
          <h3 className="font-semibold">What changes</h3>
          <Difference {...current.rehearsal} />
          <Effect rehearsal={current.rehearsal} />
          <Button look="primary" onClick={() => void apply(current.rehearsal!.version)}>
            Apply
          </Button>
        </section>
      )}
    </div>
  );
}

function Presets({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const { data = [] } = useQuery({
    queryKey: ['egress-presets'],
    queryFn: async ({ signal }) => await get<EgressPreset[]>('/egress-presets', {}, signal),
    staleTime: Infinity,
  });
  const ticked = presetsIn(text);
  return (
    <fieldset>
      <legend className="font-medium">Presets</legend>
      <div className="mt-1 flex flex-wrap gap-x-5 gap-y-1">
        {data.map(({ name, rules }) => (
          <span key={name} title={rules.map(visible).join('\n')}>
            <Check
              label={name}
              checked={ticked.has(name)}
              onChange={(event) => onChange(withPreset(text, name, event.currentTarget.checked))}
            />
          </span>
        ))}
      </div>
    </fieldset>
  );
}
