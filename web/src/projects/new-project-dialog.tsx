// The dialog for a new project; the form in it is the wizard's too.
import { useNavigate } from '@tanstack/react-router';
import { Dialog } from '../ui/dialog.tsx';
import { toast } from '../ui/toasts.tsx';
import { NewProjectForm } from './new-project-form.tsx';

/** Open as long as it is rendered; what is made is shown. */
export function NewProjectDialog({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  return (
    <Dialog title="New project" onClose={onClose} width="wide">
      <div className="p-4">
        <NewProjectForm
          onClose={onClose}
          onMade={({ name }) => {
            toast(`Project ${name} was made.`);
            void navigate({ to: `/projects/${name}` as '/', replace: true });
          }}
        />
      </div>
    </Dialog>
  );
}
