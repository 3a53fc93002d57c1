// What runs have left for later ones: notes about the repositories, and what workers keep of fetched packages.
import { useQuery } from '@tanstack/react-query';
import type { Project } from '../../../protocol/project.ts';
import { act } from '../api/act.ts';
import { send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { Button } from '../ui/button.tsx';
import { Part } from '../ui/part.tsx';
import { Problem } from '../ui/problem.tsx';
import { cachesQuery, memoryQuery } from './data.ts';

const MIB = 1024 ** 2;

/** The part. */
export function NotesPart({ project, mayClear }: { project: Project; mayClear: boolean }) {
  const { data: notes = [], error } = useQuery(memoryQuery(project.name));
  const { data: caches = [] } = useQuery(cachesQuery(project.name));
  const files = notes.flatMap((each) => each.files.map((file) => ({ ...file, repository: each.repository })));
  const clear = async (what: 'memory' | 'dependencies', told: string) =>
    await act(
      'project',
      async () => await send('DELETE', `/projects/${project.name}/${what}`),
      () => told,
    );
  return (
    <Part title="Memory">
      {error && <Problem error={error} />}
      {!project.memory && <p>Its runs are given no notes and leave none.</p>}
      {project.memory && files.length === 0 && (
        <p className="text-muted">
          No run has left notes yet. Those of one that succeeds are given to the next.
        </p>
      )}
      <div className="space-y-1">
        {files.map(({ repository, path, text }) => (
          <details key={`${repository}/${path}`}>
            <summary>
              <bdi>{visible(path)}</bdi>
              {project.repositories.length > 1 && <span className="text-muted"> of {repository}</span>}
            </summary>
            <pre
              tabIndex={0}
              className="mt-1 max-h-72 overflow-auto rounded-md bg-sunken px-2 py-1 text-sm whitespace-pre-wrap"
            >
              {visible(text)}
            </pre>
          </details>
        ))}
      </div>
      {caches.length > 0 && (
        <p className="mt-2 text-muted">
          Workers keep {Math.ceil(caches.reduce((sum, { bytes }) => sum + bytes, 0) / MIB)} MiB of fetched
          packages in {caches.length === 1 ? 'one cache' : `${caches.length} caches`}.
        </p>
      )}
      {mayClear && (files.length > 0 || caches.length > 0) && (
        <p className="mt-2 flex gap-2">
          {files.length > 0 && (
            <Button onClick={() => void clear('memory', 'The notes are forgotten, with all their versions.')}>
              Forget the notes
            </Button>
          )}
          {caches.length > 0 && (
            <Button onClick={() => void clear('dependencies', 'No run uses the caches any more.')}>
              Drop the caches
            </Button>
          )}
        </p>
      )}
    </Part>
  );
}
