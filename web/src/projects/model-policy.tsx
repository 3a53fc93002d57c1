// What the agents of a project may ask models for.
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { ModelPolicy, ModelPolicyPatch } from '../../../protocol/model.ts';
import { send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Button } from '../ui/button.tsx';
import { Check } from '../ui/check.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { FactList } from '../ui/facts.tsx';
import { Field, TextArea } from '../ui/field.tsx';
import { Part } from '../ui/part.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { policyQuery } from './data.ts';

/** The part, and its dialog. */
export function ModelPolicyPart({ project, mayChange }: { project: string; mayChange: boolean }) {
  const { data, error } = useQuery(policyQuery(project));
  const [open, setOpen] = useState(false);
  return (
    <Part
      title="Models"
      actions={
        mayChange &&
        data && (
          <Button look="quiet" aria-label="Change what models it may use" onClick={() => setOpen(true)}>
            Change …
          </Button>
        )
      }
    >
      {error && <Problem error={error} />}
      {data && (
        <FactList
          facts={[
            ['May use', data.allow.length === 0 ? 'all models' : data.allow.join(', ')],
            [
              'Outside',
              data.external ? 'also models outside of the appliance' : 'no model outside of the appliance',
            ],
            ['Repeated requests', data.cacheAnswers ? 'are answered from memory' : 'are asked again'],
            ['Prompts', data.keepPrompts ? 'are kept, sealed and without secrets' : 'are not kept'],
          ]}
        />
      )}
      {open && data && <PolicyDialog project={project} policy={data} onClose={() => setOpen(false)} />}
    </Part>
  );
}

interface PolicyDialogProps {
  project: string;
  policy: ModelPolicy;
  onClose: () => void;
}

function PolicyDialog({ project, policy, onClose }: PolicyDialogProps) {
  const [draft, setDraft] = useState(policy);
  const [allow, setAllow] = useState(policy.allow.join('\n'));
  const [problem, setProblem] = useState<unknown>();
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const names = allow.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
    const now = { ...draft, allow: names };
    const changed = Object.entries(now).filter(
      ([key, value]) => JSON.stringify(value) !== JSON.stringify(policy[key as keyof ModelPolicy]),
    );
    try {
      const patch = Object.fromEntries(changed) as ModelPolicyPatch;
      if (changed.length > 0) await send('PATCH', `/projects/${project}/models`, patch);
      await queries.invalidateQueries({ queryKey: ['project', project] });
      toast(`What ${project} may ask models for is changed.`);
      onClose();
    } catch (error) {
      setProblem(error);
    }
  };
  const check = (key: 'external' | 'cacheAnswers' | 'keepPrompts', label: string, hint: string) => (
    <Check
      label={label}
      hint={hint}
      checked={draft[key]}
      onChange={({ target }) => setDraft({ ...draft, [key]: target.checked })}
    />
  );
  return (
    <Dialog title={`Models of ${project}`} onClose={onClose}>
      <form onSubmit={(event) => void save(event)} className="space-y-3 p-4">
        <Field
          label="Models and roles that may be used"
          hint="One a line, as engine/model or autocode/coder; empty: all."
        >
          <TextArea
            rows={4}
            className="font-mono"
            value={allow}
            onChange={({ target }) => setAllow(target.value)}
          />
        </Field>
        {check(
          'external',
          'Models outside of the appliance',
          'What agents ask such a model leaves this machine; each request is recorded.',
        )}
        {check('cacheAnswers', 'Repeated requests are answered from memory', 'Those with temperature 0.')}
        {check('keepPrompts', 'Prompts and answers are kept', 'Sealed, and without secrets.')}
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary">
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
