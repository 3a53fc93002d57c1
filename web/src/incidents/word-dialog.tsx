// A person's word about incidents: one is over, is to be looked into again, or some are one. With the reason, if there is one.
import { useState, type FormEvent, type ReactNode } from 'react';
import type { IncidentDetails } from '../../../protocol/incident.ts';
import { send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, TextArea } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';

interface WordProps {
  /** What is said, as the API calls it. */
  verb: 'resolve' | 'reopen' | 'merge';
  incident: number;
  /** What is said beside the reason. */
  more?: object;
  title: string;
  what: string;
  button: string;
  done: string;
  /** Fields before the reason. */
  children?: ReactNode;
  onClose: () => void;
}

/** Asks for the reason, and says it. */
export function WordDialog(props: WordProps) {
  const { verb, incident, more, title, what, button, done, children, onClose } = props;
  const [problem, setProblem] = useState<unknown>();
  const say = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const reason = (new FormData(event.currentTarget).get('reason') as string).trim();
    const body = { ...more, ...(reason === '' ? {} : { reason }) };
    try {
      await send<IncidentDetails>('POST', `/incidents/${incident}/${verb}`, body);
      await queries.invalidateQueries({ queryKey: ['incident'] });
      toast(done);
      onClose();
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={(event) => void say(event)} className="space-y-3 p-4">
        <p>{what}</p>
        {children}
        <Field label="Why">
          <TextArea name="reason" rows={2} maxLength={1000} />
        </Field>
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Leave it so</Button>
          <Button type="submit" look="primary">
            {button}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
