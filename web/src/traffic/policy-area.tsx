// The field in which a policy is written: its lines have numbers, and mistakes are marked at theirs.
import { useId, useRef } from 'react';
import type { PolicyProblem } from '../../../protocol/egress.ts';
import { Told } from '../ui/told.tsx';
import { offsetOf } from './policy-text.ts';

const LEAST_LINES = 10;

interface PolicyAreaProps {
  label: string;
  text: string;
  problems: readonly PolicyProblem[];
  onChange: (text: string) => void;
}

/** As high as its text, in a place that scrolls. */
export function PolicyArea({ label, text, problems, onChange }: PolicyAreaProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const lines = text.split('\n').length;
  const wrong = new Set(problems.map(({ line }) => line));
  const goTo = ({ line, column }: PolicyProblem) => {
    const at = offsetOf(text, line, column);
    area.current?.focus();
    area.current?.setSelectionRange(at, at);
  };
  return (
    <>
      <div className="flex max-h-[60vh] overflow-y-auto rounded-lg border border-edge bg-raised font-mono text-sm has-focus-visible:outline-2 has-focus-visible:outline-accent">
        <ol aria-hidden className="border-r border-line bg-sunken py-2 text-right text-muted select-none">
          {Array.from({ length: Math.max(lines, LEAST_LINES) }, (_, index) => (
            <li
              key={index}
              className={`pr-2 pl-3 leading-5 ${wrong.has(index + 1) ? 'bg-bad/12 font-semibold text-bad' : ''}`}
            >
              {index + 1}
            </li>
          ))}
        </ol>
        <textarea
          ref={area}
          aria-label={label}
          aria-invalid={problems.length > 0}
          aria-describedby={id}
          rows={Math.max(lines, LEAST_LINES)}
          wrap="off"
          spellCheck={false}
          autoCapitalize="off"
          value={text}
          onChange={(event) => onChange(event.currentTarget.value)}
          className="min-w-0 flex-1 resize-none overflow-x-auto overflow-y-hidden bg-transparent px-3 py-2 leading-5 outline-none"
        />
      </div>
      <div id={id} role="alert">
        <ul className="space-y-1">
          {problems.map((problem) => (
            <li key={`${problem.line} ${problem.column} ${problem.message}`} className="text-bad">
              <button type="button" className="font-medium underline" onClick={() => goTo(problem)}>
                Line {problem.line}, column {problem.column}
              </button>
              : <Told words={problem.message} />{' '}
              <span className="text-muted">
                <Told words={problem.remedy} />
              </span>
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}
