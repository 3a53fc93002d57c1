// A one-time link, shown this once, to be given to whom it is for.
import type { PersonLink } from '../../../protocol/person.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input } from '../ui/field.tsx';
import { toast } from '../ui/toasts.tsx';

/** The dialog with the link. */
export function LinkDialog({ name, link, onClose }: { name: string; link: PersonLink; onClose: () => void }) {
  const copy = async () => {
    await navigator.clipboard.writeText(link.url);
    toast('The link is in the clipboard.');
  };
  return (
    <Dialog title={`Link for ${name}`} onClose={onClose}>
      <div className="space-y-4 p-4">
        <p>
          With this link {name} sets a password, once, until {new Date(link.expiresAt).toLocaleString()}. It
          is shown this once: give it to {name} alone.
        </p>
        <Field label="Link">
          <Input readOnly value={link.url} onFocus={(event) => event.target.select()} autoFocus />
        </Field>
        <div className="flex justify-end gap-2">
          {/* The clipboard is there over TLS and on this machine alone. */}
          {window.isSecureContext && <Button onClick={() => void copy()}>Copy</Button>}
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
