// How somebody is told besides the inbox: by email and in browsers, when, and when not.
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { Digest, OwnNotificationSettings } from '../../../protocol/notification-ways.ts';
import { ApiError, get, send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Button } from '../ui/button.tsx';
import { Field, Input, Select } from '../ui/field.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { Browsers } from './browsers.tsx';
import { ConfirmAddress, sendLetter } from './confirm-address.tsx';

const AT = '/own-notification-settings';
const DIGESTS: Record<Digest, string> = {
  off: 'at once',
  hourly: 'collected, once an hour',
  daily: 'collected, once a day',
};

/** Fields that tell by themselves what is wrong with them. */
const FIELDS = ['address', 'digestAt', 'quietHours.from', 'quietHours.to', 'timeZone'];
const HERE = new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The part of the inbox about it. */
export function Ways({ person }: { person: string }) {
  const { data, error } = useQuery({
    queryKey: ['own-notification-settings'],
    queryFn: async ({ signal }) => await get<OwnNotificationSettings>(AT, {}, signal),
  });
  return (
    <>
      <Browsers person={person} />
      <Section title="Email and times">
        {error && <Problem error={error} />}
        {data !== undefined && data.address !== null && !data.addressConfirmed && data.emailOffered && (
          <ConfirmAddress settings={data} />
        )}
        {data !== undefined && <Form key={JSON.stringify({ ...data, letterAt: null })} settings={data} />}
      </Section>
    </>
  );
}

function Form({ settings }: { settings: OwnNotificationSettings }) {
  const { address, addressByProvider, email, emailOffered, digest, digestAt, quietHours, timeZone } =
    settings;
  const [problem, setProblem] = useState<unknown>();
  const [collects, setCollects] = useState(digest);
  const [quiet, setQuiet] = useState(quietHours !== null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const text = (name: string) => ((given.get(name) as string | null) ?? '').trim();
    try {
      const now = await send<OwnNotificationSettings>('PATCH', AT, {
        ...(given.has('address') ? { address: text('address') || null } : {}),
        ...(emailOffered ? { email: given.has('email') } : {}),
        digest: collects,
        ...(collects === 'daily' ? { digestAt: text('digestAt') } : {}),
        quietHours: quiet ? { from: text('from'), to: text('to') } : null,
        timeZone: text('timeZone'),
      });
      setProblem(undefined);
      toast('It holds from now on.');
      const isNew = now.address !== null && now.address !== address;
      if (isNew && emailOffered && !now.addressConfirmed) await sendLetter(now.address);
      await queries.invalidateQueries({ queryKey: ['own-notification-settings'] });
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <form onSubmit={submit} className="max-w-2xl space-y-4 rounded-lg border border-line bg-surface p-4">
      <div className="space-y-2">
        <Field label="Address" hint={addressHint(settings)} mistake={mistakeAt(problem, 'address')}>
          <Input
            name="address"
            type="email"
            defaultValue={address ?? ''}
            disabled={addressByProvider}
            autoComplete="email"
            placeholder="ann@example.com"
          />
        </Field>
        <label className="flex items-center gap-2">
          <input type="checkbox" name="email" defaultChecked={email} disabled={!emailOffered} />
          Send what my inbox gets to it
        </label>
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Email and browsers are told" hint="What is urgent always goes out at once.">
          <Select value={collects} onChange={({ target }) => setCollects(target.value as Digest)}>
            {Object.entries(DIGESTS).map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </Select>
        </Field>
        {collects === 'daily' && (
          <Field label="At" mistake={mistakeAt(problem, 'digestAt')}>
            <Input name="digestAt" type="time" required defaultValue={digestAt} />
          </Field>
        )}
      </div>
      <fieldset className="space-y-2">
        <label className="flex items-center gap-2">
          <input type="checkbox" checked={quiet} onChange={({ target }) => setQuiet(target.checked)} />
          Quiet hours, in which only what is urgent goes out
        </label>
        {quiet && (
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label="From" mistake={mistakeAt(problem, 'quietHours.from')}>
              <Input name="from" type="time" required defaultValue={quietHours?.from ?? '22:00'} />
            </Field>
            <Field label="To" mistake={mistakeAt(problem, 'quietHours.to')}>
              <Input name="to" type="time" required defaultValue={quietHours?.to ?? '07:00'} />
            </Field>
          </div>
        )}
      </fieldset>
      <Field label="Time zone" hint={`This browser is in ${HERE}.`} mistake={mistakeAt(problem, 'timeZone')}>
        <Input name="timeZone" required list="time-zones" defaultValue={timeZone} autoComplete="off" />
      </Field>
      <datalist id="time-zones">
        {Intl.supportedValuesOf('timeZone').map((zone) => (
          <option key={zone}>{zone}</option>
        ))}
      </datalist>
      {problem !== undefined && !FIELDS.some((name) => mistakeAt(problem, name)) && (
        <Problem error={problem} />
      )}
      <Button type="submit" look="primary">
        Save
      </Button>
    </form>
  );
}

function addressHint({
  emailOffered,
  address,
  addressByProvider,
  addressConfirmed,
}: OwnNotificationSettings): string | undefined {
  if (!emailOffered)
    return 'This installation sends no email: an admin can set `notifications.email` in the configuration.';
  if (addressByProvider) return 'It is that of the provider that signs you in.';
  if (address === null) return 'A letter with a code is sent to it.';
  return addressConfirmed ? 'It is confirmed.' : 'It is not confirmed.';
}

function mistakeAt(problem: unknown, name: string): string | undefined {
  if (!(problem instanceof ApiError) || !Array.isArray(problem.details)) return undefined;
  const mistakes = problem.details as { path?: string; message?: string }[];
  return mistakes.find(({ path }) => path === name)?.message;
}
