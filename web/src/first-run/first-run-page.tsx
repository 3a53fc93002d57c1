// From an empty appliance to a first change, step by step. Each step is a face of what is there: to close the page loses nothing.
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState, type ComponentType } from 'react';
import { useMayInAll } from '../session/session.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { ForgeStep } from './forge-step.tsx';
import { ModelStep } from './model-step.tsx';
import { ProjectStep } from './project-step.tsx';
import { dismiss, STEPS, STEP_WORDS, useSteps, type Step, type Steps } from './steps.ts';
import { TaskStep } from './task-step.tsx';
import { WorkerStep } from './worker-step.tsx';

const FACES: Record<Step, ComponentType> = {
  model: ModelStep,
  forge: ForgeStep,
  project: ProjectStep,
  worker: WorkerStep,
  task: TaskStep,
};

/** The page at `/first-run`. */
export function FirstRunPage() {
  const mayAll = useMayInAll('admin');
  if (!mayAll) {
    return (
      <Empty title="An admin sets the appliance up">
        <p>Models, forges and projects are connected by somebody with the role admin in all projects.</p>
      </Empty>
    );
  }
  return <Looked />;
}

function Looked() {
  const steps = useSteps();
  if (steps === undefined) return <p className="p-4 text-muted">Looking at what there is …</p>;
  return <Guide steps={steps} />;
}

function Guide({ steps }: { steps: Steps }) {
  const search = useSearch({ strict: false }) as { step?: string };
  const navigate = useNavigate();
  const [first] = useState(steps.next); // a step that gets done stays in sight
  const step = STEPS.find((each) => each === search.step) ?? first ?? 'task';
  const show = (to: Step | undefined) =>
    void navigate({ to: '/first-run', search: (to === undefined ? {} : { step: to }) as never });
  const after = STEPS[STEPS.indexOf(step) + 1];
  const Face = FACES[step];
  return (
    <div className="mx-auto max-w-6xl space-y-4 p-4">
      <header className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h1 className="text-xl font-semibold">First steps</h1>
        <p className="text-muted">
          {steps.next === undefined
            ? 'All of them are done or skipped.'
            : 'From an empty appliance to a first change; any of them can be skipped.'}
        </p>
        <Link to="/" onClick={dismiss} className="ml-auto text-accent hover:underline">
          Close, and do not offer it again
        </Link>
      </header>
      <div className="grid items-start gap-4 md:grid-cols-[17rem_minmax(0,1fr)]">
        <Checklist steps={steps} step={step} />
        <section
          aria-label={STEP_WORDS[step].title}
          className="space-y-4 rounded-lg border border-line bg-surface p-4"
        >
          <div>
            <h2 className="text-lg font-semibold">{STEP_WORDS[step].title}</h2>
            <p className="text-muted">{STEP_WORDS[step].what}</p>
          </div>
          <Face key={step} />
          {after !== undefined && (
            <div className="flex justify-end gap-2 border-t border-line pt-3">
              {steps.done.has(step) ? (
                <Button look="primary" onClick={() => show(after)}>
                  Go on: {STEP_WORDS[after].title.toLowerCase()}
                </Button>
              ) : (
                <Button
                  onClick={() => {
                    steps.skip(step);
                    show(after);
                  }}
                >
                  Skip this step
                </Button>
              )}
            </div>
          )}
        </section>
      </div>
    </div>
  );
}

function Checklist({ steps, step }: { steps: Steps; step: Step }) {
  return (
    <nav aria-label="Steps">
      <ol className="space-y-1">
        {STEPS.map((each, at) => (
          <li key={each}>
            <Link
              to="/first-run"
              search={{ step: each } as never}
              {...(each === step ? { 'aria-current': 'step' as const } : {})}
              className={`flex items-center gap-2 rounded-md border px-2.5 py-2 hover:bg-sunken ${each === step ? 'border-line bg-surface font-medium' : 'border-transparent'}`}
            >
              <span aria-hidden className="w-4 text-center text-muted">
                {steps.done.has(each) ? '✓' : at + 1}
              </span>
              <span className="flex-1">{STEP_WORDS[each].title}</span>
              {steps.done.has(each) && <Badge tone="good">done</Badge>}
              {steps.skipped.has(each) && <Badge>skipped</Badge>}
            </Link>
          </li>
        ))}
      </ol>
    </nav>
  );
}
