// How a delivery went. Used by the channels and the log of deliveries.
import type { NotificationDelivery } from '../../../protocol/notification.ts';
import { visible } from '../log/visible.ts';
import { clock } from '../task/format.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Told } from '../ui/told.tsx';

type State = NotificationDelivery['state'];

export const STATE_WORDS: Record<State, { text: string; tone: Tone }> = {
  held: { text: 'held back', tone: 'neutral' },
  waiting: { text: 'waiting', tone: 'info' },
  sent: { text: 'sent', tone: 'good' },
  failed: { text: 'failed', tone: 'bad' },
  joined: { text: 'in a digest', tone: 'good' },
};
export const STATES = Object.keys(STATE_WORDS) as State[];

/** The state, and why it is not sent. */
export function Outcome({ of }: { of: NotificationDelivery }) {
  const { state, tries, retryAt, trouble, digest } = of;
  const { text, tone } = STATE_WORDS[state];
  const more = [
    ...(state === 'joined' && digest !== null ? [`delivery ${digest}`] : []),
    ...(state === 'failed' || tries > 1 ? [tries === 1 ? '1 try' : `${tries} tries`] : []),
    ...(retryAt === null ? [] : [`${tries === 0 ? 'goes out' : 'again'} ${clock(retryAt)}`]),
  ].join(', ');
  return (
    <>
      <Badge tone={tone}>{text}</Badge> <span className="text-sm whitespace-nowrap text-muted">{more}</span>
      {trouble !== null && (
        <span className="block max-w-md text-sm break-words text-bad">
          <Told words={visible(trouble)} />
        </span>
      )}
    </>
  );
}
