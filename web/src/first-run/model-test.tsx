// Whether a model does what an agent needs of it, asked through the gateway as a run would ask: each check as it ends, or what kept
// the model from answering and what to do.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ModelTest } from '../../../protocol/local-model.ts';
import { get, send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Problem } from '../ui/problem.tsx';
import { Told } from '../ui/told.tsx';

const LOOK_MS = 1000;

/** The button, and below it the newest test of the model. */
export function ModelTestButton({ model }: { model: string }) {
  const cache = useQueryClient();
  const queryKey = ['model-tests', model];
  const { data: tests = [] } = useQuery({
    queryKey,
    queryFn: async ({ signal }) => await get<ModelTest[]>('/model-tests', { model, limit: 1 }, signal),
    refetchInterval: ({ state }) => (state.data?.[0]?.state === 'running' ? LOOK_MS : false),
  });
  const [problem, setProblem] = useState<unknown>();
  const [asked, setAsked] = useState(false);
  const [test] = tests;
  const isTesting = asked || test?.state === 'running';
  const word = isTesting ? 'Testing …' : 'Test';
  const begin = async () => {
    setProblem(undefined);
    setAsked(true);
    try {
      cache.setQueryData(queryKey, [await send<ModelTest>('POST', '/model-tests', { model })]);
    } catch (error) {
      setProblem(error);
    } finally {
      setAsked(false);
    }
  };
  return (
    <div className="mt-1 space-y-1.5">
      <Button disabled={isTesting} aria-label={`${word} ${model}`} onClick={() => void begin()}>
        {word}
      </Button>
      {problem !== undefined && <Problem error={problem} />}
      {test !== undefined && <Outcome test={test} />}
    </div>
  );
}

function Outcome({ test: { state, passed, checks, problem, remedy } }: { test: ModelTest }) {
  return (
    <div aria-live="polite" className="space-y-1">
      {state === 'done' && (
        <p>
          <Badge tone={passed ? 'good' : 'bad'}>{passed ? 'passed' : 'not passed'}</Badge>{' '}
          {passed
            ? 'It does what an agent needs.'
            : checks.some((check) => check.passed)
              ? 'An agent would not get far with it: see what was not as it has to be.'
              : 'Are its address, its key and the name of the model right? Add it anew below.'}
        </p>
      )}
      {problem !== null && (
        <p className="text-bad">
          <Told words={visible(problem)} />{' '}
          {remedy !== null && (
            <span className="text-ink">
              <Told words={visible(remedy)} />
            </span>
          )}
        </p>
      )}
      {checks.length > 0 && (
        <ul className="space-y-0.5">
          {checks.map((check) => (
            <li key={check.name}>
              <Badge tone={check.passed ? 'good' : 'bad'}>{check.name}</Badge>{' '}
              <bdi className="break-words text-muted">{visible(check.detail)}</bdi>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
