// What is wrong with the .autocode.yaml of a repository, where something is.
import type { FileReading } from '../../../protocol/project-file.ts';
import { visible } from '../log/visible.ts';
import { Told } from '../ui/told.tsx';

/** Nothing where there is no file, or it is good. */
export function FileProblems({ file }: { file: FileReading | null }) {
  if (file === null || file.problems.length === 0) return null;
  return (
    <section aria-label="Problems of .autocode.yaml" className="rounded-md border border-warn/50 p-3">
      <p className="font-medium text-warn">
        The repository’s .autocode.yaml has mistakes{file.content === null ? ', so none of it holds.' : '.'}
      </p>
      <ul className="mt-1 list-disc space-y-0.5 pl-5">
        {file.problems.map(({ line, key, message, remedy }) => (
          <li key={`${line} ${key} ${message}`}>
            {line !== null && `Line ${line}: `}
            <Told words={visible(message)} />{' '}
            {remedy !== null && (
              <span className="text-muted">
                <Told words={visible(remedy)} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
