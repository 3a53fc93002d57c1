// Whether this browser shows what the inbox gets, and the other browsers of somebody that do.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { PushSubscription } from '../../../protocol/notification-ways.ts';
import { act } from '../api/act.ts';
import { get, send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { visible } from '../log/visible.ts';
import { Ago } from '../ui/ago.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Section } from '../ui/page.tsx';
import { toastProblem } from '../ui/toasts.tsx';
import { tellFromNow } from './open-page.ts';
import { chosenWay, type Way } from './own-browser.ts';
import { notifyHere, ownEndpoint, stopHere, whyNot } from './push.ts';

/** The part about browsers. */
export function Browsers({ person }: { person: string }) {
  const { data: kept = [] } = useQuery({
    queryKey: ['push-subscriptions'],
    queryFn: async ({ signal }) => await get<PushSubscription[]>('/push-subscriptions', {}, signal),
  });
  const { data: own } = useQuery({
    queryKey: ['push-subscriptions', 'own'],
    queryFn: async () => (whyNot() === undefined ? ((await ownEndpoint()) ?? null) : null),
  });
  const remove = async ({ id, label, endpoint }: PushSubscription) =>
    await act(
      'push-subscriptions',
      async () => {
        await send('DELETE', `/push-subscriptions/${id}`);
        if (endpoint === own) await stopHere(person);
      },
      () => `${label} is told no more.`,
    );
  return (
    <Section title="Browsers">
      <ThisBrowser person={person} own={kept.find(({ endpoint }) => endpoint === own)} />
      {kept.length > 0 && (
        <ul className="divide-y divide-line rounded-lg border border-line bg-surface">
          {kept.map((each) => (
            <li key={each.id} className="flex flex-wrap items-center gap-2 px-3 py-1.5">
              <bdi className="min-w-0 break-words">{visible(each.label)}</bdi>
              {each.endpoint === own && <Badge tone="good">this one</Badge>}
              <span className="flex-1 text-sm text-muted">
                {new URL(each.endpoint).host}, since <Ago at={each.createdAt} />
              </span>
              <Button
                look="quiet"
                onClick={() => void remove(each)}
                aria-label={`Remove browser ${each.id}, ${each.label}`}
              >
                Remove
              </Button>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function ThisBrowser({ person, own }: { person: string; own: PushSubscription | undefined }) {
  const [way, setWay] = useState<Way | undefined>(() => chosenWay(person));
  const [why, setWhy] = useState<string>();
  const [busy, setBusy] = useState(false);
  const cannot = whyNot();
  const turn = async () => {
    setBusy(true);
    try {
      if (way === undefined) {
        const made = await notifyHere(person);
        if (made.way === 'page') await tellFromNow();
        setWay(made.way);
        setWhy(made.why);
      } else {
        if (own !== undefined) await send('DELETE', `/push-subscriptions/${own.id}`);
        await stopHere(person);
        setWay(undefined);
      }
    } catch (error) {
      toastProblem(error);
    }
    setBusy(false);
    await queries.invalidateQueries({ queryKey: ['push-subscriptions'] });
  };
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
      {(cannot === undefined || way !== undefined) && (
        <Button
          role="switch"
          aria-checked={way !== undefined}
          disabled={busy}
          onClick={() => void turn()}
          className="aria-checked:border-accent aria-checked:bg-accent/12 aria-checked:text-accent"
        >
          <span aria-hidden>{way === undefined ? '○' : '●'}</span> Notify this browser
        </Button>
      )}
      <p className="max-w-2xl text-muted">
        {cannot ?? (way === undefined ? 'It asks for permission when you turn it on.' : told(way, why))}
      </p>
    </div>
  );
}

function told(way: Way, why: string | undefined): string {
  if (way === 'push') return 'It shows what your inbox gets, also while no page of Autocode is open.';
  return `It shows what your inbox gets as long as a page of Autocode is open${why === undefined ? '.' : `: ${why}.`}`;
}
