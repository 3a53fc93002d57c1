// What is left to do for a source: the address that deliveries are sent to, what is to be set up where they come from, a first test.
import { useQuery } from '@tanstack/react-query';
import type { IntakeSource } from '../../../protocol/intake.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input } from '../ui/field.tsx';
import { toast } from '../ui/toasts.tsx';
import { Told } from '../ui/told.tsx';
import { kindsQuery } from './source-dialog.tsx';
import { Outcome } from './source-test.tsx';

interface AddedProps {
  source: IntakeSource;
  title: string;
  onClose: () => void;
}

/** The dialog. */
export function SetupDialog({ source: { name, kind, hook, secretName }, title, onClose }: AddedProps) {
  const { data } = useQuery(kindsQuery);
  const farSide = data?.kinds.find((each) => each.kind === kind)?.farSide;
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="space-y-4 p-4">
        {farSide != null && (
          <p>
            <Told words={farSide} />
          </p>
        )}
        {hook !== null && <Address url={`${window.location.origin}${hook}`} secretName={secretName} />}
        <section aria-label="First test" className="space-y-2">
          <h3 className="font-semibold">Is it set up well?</h3>
          <Outcome source={name} />
        </section>
        <div className="flex justify-end">
          <Button look="primary" onClick={onClose} autoFocus>
            Done
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function Address({ url, secretName }: { url: string; secretName: string }) {
  const copy = async () => {
    await navigator.clipboard.writeText(url);
    toast('The address is in the clipboard.');
  };
  return (
    <div className="space-y-2">
      <Field
        label="Address for deliveries"
        hint={`As this browser reaches the daemon; the sender may know it by another name. The secret is kept as \`${secretName}\`.`}
      >
        <Input readOnly value={url} onFocus={({ target }) => target.select()} />
      </Field>
      {/* The clipboard is there over TLS and on this machine alone. */}
      {window.isSecureContext && <Button onClick={() => void copy()}>Copy the address</Button>}
    </div>
  );
}
