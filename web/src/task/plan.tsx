// The plan of a run as it is worked on, and a person's word about one that was proposed.
import { useState, type FormEvent } from 'react';
import type { Plan } from '../../../protocol/run.ts';
import type { Task } from '../../../protocol/task.ts';
import { send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { Button } from '../ui/button.tsx';
import { Field, TextArea } from '../ui/field.tsx';
import { toast, toastProblem } from '../ui/toasts.tsx';
import { Words } from './words.tsx';

const MARKS = {
  pending: ['○', 'text-muted', 'to do'],
  'in-progress': ['●', 'text-info', 'at work'],
  completed: ['✓', 'text-good', 'done'],
  failed: ['✗', 'text-bad', 'failed'],
  skipped: ['–', 'text-muted', 'left out'],
} as const;

/** The steps with how far they are. */
export function PlanView({ plan, was }: { plan: Plan; was?: Plan | null | undefined }) {
  // Steps that the plan at first did not have were added on the way.
  const before = new Set(was?.steps.map(({ title }) => title));
  return (
    <>
      <Words text={plan.summary} />
      <ol className="mt-2 space-y-1">
        {plan.steps.map(({ title, status }, index) => {
          const [mark, ink, said] = MARKS[status];
          return (
            <li key={index} className="flex gap-2">
              <span aria-hidden className={`w-3 ${ink}`}>
                {mark}
              </span>
              <bdi
                className={`min-w-0 flex-1 break-words ${status === 'skipped' ? 'text-muted line-through' : ''}`}
              >
                {visible(title)}
                <span className="sr-only"> ({said})</span>
                {before.size > 0 && !before.has(title) && (
                  <span className="text-sm text-warn"> adjusted</span>
                )}
              </bdi>
            </li>
          );
        })}
      </ol>
    </>
  );
}

/** Approve a proposed plan, as it is or with other steps, or ask for another one. */
export function PlanDecision({ task, plan }: { task: Task; plan: Plan }) {
  const proposed = plan.steps.map(({ title }) => title).join('\n');
  const [steps, setSteps] = useState(proposed);
  const [words, setWords] = useState('');
  const [busy, setBusy] = useState(false);
  const decide = async (what: 'approve' | 'reject', body: object, said: string) => {
    setBusy(true);
    try {
      await send('POST', `/tasks/${task.id}/${what}`, body);
      toast(said);
    } catch (error) {
      toastProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const approve = async (event: FormEvent) => {
    event.preventDefault();
    const wanted = steps.split('\n').map((line) => line.trim());
    const others = steps === proposed ? {} : { steps: wanted.filter((line) => line !== '') };
    await decide('approve', others, 'The plan is approved; the work begins.');
  };
  return (
    <section
      aria-label="Decide about the plan"
      className="space-y-3 rounded-md border border-warn/50 bg-warn/6 p-3"
    >
      <h2 className="text-lg font-semibold">This plan waits for your word</h2>
      <Words text={plan.summary} />
      <form onSubmit={approve} className="space-y-2">
        <Field label="Steps" hint="One a line. Change them, and they are worked on as they stand here.">
          <TextArea
            rows={Math.min(14, plan.steps.length + 2)}
            value={steps}
            onChange={({ target }) => setSteps(target.value)}
          />
        </Field>
        <Button type="submit" look="primary" disabled={busy || steps.trim() === ''}>
          {steps === proposed ? 'Approve' : 'Approve with these steps'}
        </Button>
      </form>
      <form
        className="space-y-2"
        onSubmit={async (event) => {
          event.preventDefault();
          await decide('reject', { text: words }, 'Another plan is made.');
        }}
      >
        <Field label="Or what should be different" hint="The agent makes another plan with it in view.">
          <TextArea rows={2} value={words} onChange={({ target }) => setWords(target.value)} />
        </Field>
        <Button type="submit" disabled={busy || words.trim() === ''}>
          Ask for another plan
        </Button>
      </form>
    </section>
  );
}
