// Edits a project.
import type { Project } from '../../../protocol/project.ts';
import { EditDialog as Editing } from '../ui/edit-dialog.tsx';
import { ChangeFields } from './change-fields.tsx';
import { draftOf, patchOf, type Draft } from './draft.ts';
import { OrderFields } from './order-fields.tsx';
import { SandboxFields } from './sandbox-fields.tsx';
import { WorkFields } from './work-fields.tsx';

/** Open as long as it is rendered. */
export function EditDialog({ name, onClose }: { name: string; onClose: () => void }) {
  return (
    <Editing<Project, Draft>
      title={`Edit ${name}`}
      address={`/projects/${name}`}
      draftOf={draftOf}
      patchOf={patchOf}
      fields={({ seen, ...parts }) => (
        <>
          <WorkFields {...parts} repositories={seen.repositories.map((repository) => repository.name)} />
          <OrderFields {...parts} />
          <SandboxFields {...parts} />
          <ChangeFields {...parts} />
        </>
      )}
      stale={[['project'], ['projects']]}
      saved={`${name} was changed; what begins from now on goes by it.`}
      onClose={onClose}
    />
  );
}
