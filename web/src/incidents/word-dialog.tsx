// A person's word about an incident: it is over, or is to be looked into again.
import { useState, type FormEvent } from 'react';
import type { IncidentDetails } from '../../../protocol/incident.ts';
import { send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, TextArea } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';

const TEXTS = {
  resolve: {
    title: 'Resolve the incident?',
    what: 'It counts as over, whatever its alarms say. One that comes soon after opens it again.',
    done: 'The incident is resolved.',
    button: 'Resolve',
  },
  reopen: {
    title: 'Reopen the incident?',
    what: 'It is investigated again.',
    done: 'The incident is open again.',
    button: 'Reopen',
  },
};

interface WordProps {
  incident: number;
  word: keyof typeof TEXTS;
  onClose: () => void;
}

/** Asks for the reason, and says it. */
export function WordDialog({ incident, word, onClose }: WordProps) {
  const { title, what, done, button } = TEXTS[word];
  const [problem, setProblem] = useState<unknown>();
  const say = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const reason = (new FormData(event.currentTarget).get('reason') as string).trim();
    try {
      await send<IncidentDetails>('POST', `/incidents/${incident}/${word}`, reason === '' ? {} : { reason });
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
