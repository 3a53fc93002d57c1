// Record mode of a project: begun with a warning, ended by itself or by hand.
import { useState, type FormEvent } from 'react';
import type { EgressPolicy } from '../../../protocol/egress.ts';
import { act } from '../api/act.ts';
import { send } from '../api/client.ts';
import { clock } from '../task/format.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input } from '../ui/field.tsx';

const MOST_HOURS = 168;

/** What it is set to, and the buttons for those who may change it. */
export function Record({ project, recording, mayChange }: RecordProps) {
  const [asking, setAsking] = useState(false);
  const record = async (hours: number | null) =>
    await act(
      'egress',
      async () => await send<{ until: string | null }>('PUT', '/egress-policy/recording', { project, hours }),
      ({ until }) => (until === null ? 'Recording is over.' : `Recording until ${clock(until)}.`),
    );
  const begin = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setAsking(false);
    void record(Number(new FormData(event.currentTarget).get('hours')));
  };
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        {recording === null ? (
          <p className="text-muted">
            Not recording: what no rule allows is refused, and learnt from all the same.
          </p>
        ) : (
          <p className="text-warn">
            Recording until {clock(recording.until)}, begun by {recording.author}: all of the internet is let
            out.
          </p>
        )}
        {mayChange && recording === null && <Button onClick={() => setAsking(true)}>Record …</Button>}
        {mayChange && recording !== null && <Button onClick={() => void record(null)}>Stop recording</Button>}
      </div>
      {asking && (
        <Dialog title={`Record what ${project} needs`} onClose={() => setAsking(false)}>
          <form onSubmit={begin} className="space-y-3 p-4">
            <p>
              While it records, runs of {project} reach <strong>every public address</strong>. Whatever is in
              their sandboxes, source code too, can leave. Private addresses and what a rule denies stay
              refused. It ends by itself.
            </p>
            <Field label="Hours" hint={`At most ${MOST_HOURS}`}>
              <Input
                name="hours"
                type="number"
                required
                min={0.1}
                max={MOST_HOURS}
                step="any"
                defaultValue={2}
              />
            </Field>
            <div className="flex justify-end gap-2">
              <Button onClick={() => setAsking(false)}>Cancel</Button>
              <Button type="submit" look="danger">
                Let everything out and record
              </Button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}

interface RecordProps {
  project: string;
  recording: EgressPolicy['recording'];
  mayChange: boolean;
}
