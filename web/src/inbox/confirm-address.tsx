// The address of email that somebody set, as long as it is not confirmed: by the code of a letter, which the link in it brings along.
import { useLocation } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import type { NotificationDelivery } from '../../../protocol/notification.ts';
import type { OwnNotificationSettings } from '../../../protocol/notification-ways.ts';
import { send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { visible } from '../log/visible.ts';
import { Ago } from '../ui/ago.tsx';
import { Button } from '../ui/button.tsx';
import { Field, Input } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast, toastProblem } from '../ui/toasts.tsx';

/** What is known of it, and the way to confirm it. */
export function ConfirmAddress({ settings: { address, letterAt } }: { settings: OwnNotificationSettings }) {
  const hash = useLocation({ select: (location) => location.hash });
  const [problem, setProblem] = useState<unknown>();
  const confirm = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const code = (new FormData(event.currentTarget).get('code') as string).trim();
    try {
      await send('POST', '/own-email-confirmations', { code });
      toast(`${address} is confirmed.`);
      window.history.replaceState(null, '', window.location.pathname + window.location.search);
      await queries.invalidateQueries({ queryKey: ['own-notification-settings'] });
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <form onSubmit={confirm} className="max-w-2xl space-y-3 rounded-lg border border-warn bg-surface p-4">
      <p>
        Nothing is sent to <strong>{address}</strong> until it is confirmed.{' '}
        {letterAt === null ? (
          'No letter is on its way.'
        ) : (
          <>
            A letter with a code was sent <Ago at={letterAt} /> ago.
          </>
        )}
      </p>
      <Field label="Code of the letter">
        <Input
          key={hash}
          name="code"
          required
          maxLength={100}
          autoComplete="one-time-code"
          spellCheck={false}
          defaultValue={/^#?confirm=([\w-]+)$/.exec(hash)?.[1] ?? ''}
        />
      </Field>
      {problem !== undefined && <Problem error={problem} />}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="primary">
          Confirm the address
        </Button>
        <Button onClick={() => void sendLetter(address)}>
          {letterAt === null ? 'Send a letter' : 'Send it again'}
        </Button>
      </div>
    </form>
  );
}

/** Has a letter with a code sent, and tells how that went. */
export async function sendLetter(address: string | null): Promise<void> {
  try {
    const { state, trouble } = await send<NotificationDelivery>('POST', '/own-email-letters');
    if (state === 'sent') toast(`A letter with a code is on its way to ${address}.`);
    else toast(`No letter went to ${address}. ${visible(trouble ?? '')}`, true);
  } catch (failed) {
    toastProblem(failed);
  }
  await queries.invalidateQueries({ queryKey: ['own-notification-settings'] });
}
