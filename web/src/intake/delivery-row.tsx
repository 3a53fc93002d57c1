// A line of the intake's log: what came, what became of it and why, and what a person may decide.
import { Link } from '@tanstack/react-router';
import type { IntakeDelivery } from '../../../protocol/intake.ts';
import { act } from '../api/act.ts';
import { send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { useUser } from '../session/session.ts';
import { clock } from '../task/format.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Cell } from '../ui/table.tsx';
import { mayAct, outcome, projectsOf, TONES, WORDS, type Line } from './words.ts';

/** The row of a line. */
export function DeliveryRow({ line: { delivery, item } }: { line: Line }) {
  const user = useUser();
  return (
    <tr>
      <Cell className="whitespace-nowrap text-muted">
        <time dateTime={delivery.receivedAt}>{clock(delivery.receivedAt)}</time>
      </Cell>
      <Cell className="whitespace-nowrap">
        <bdi>{delivery.source}</bdi> <span className="text-sm text-muted">{delivery.via}</span>
      </Cell>
      <Cell className="max-w-xl min-w-48">
        <bdi className="break-words">{visible(item?.title ?? delivery.event)}</bdi>
        {item?.actor != null && (
          <span className="block text-sm text-muted">
            by <bdi>{visible(item.actor)}</bdi>
          </span>
        )}
      </Cell>
      <Cell className="max-w-md min-w-48">
        <Became line={{ delivery, item }} />
      </Cell>
      <Cell>
        {item?.verdict === 'quarantined' && mayAct(user, [item.project]) && (
          <Decide id={item.id} title={item.title} />
        )}
        {delivery.state === 'failed' && delivery.kept && mayAct(user, projectsOf(delivery)) && (
          <Again delivery={delivery} />
        )}
      </Cell>
    </tr>
  );
}

function Became({ line: { delivery, item } }: { line: Line }) {
  const reasons = [item?.reason ?? delivery.reason, item?.unanswered].filter((each) => each != null);
  return (
    <>
      {item === undefined ? (
        <Badge tone={delivery.state === 'failed' ? 'bad' : 'neutral'}>
          {{ waiting: 'not worked on yet', failed: 'failed', done: 'nothing' }[delivery.state]}
        </Badge>
      ) : (
        <Badge tone={TONES[item.verdict]}>{WORDS[item.verdict]}</Badge>
      )}{' '}
      {item?.task != null && (
        <Link to={`/tasks/${item.task}` as '/'} className="text-accent underline">
          #{item.task}
        </Link>
      )}{' '}
      {item?.incident != null && (
        <Link to={`/incidents/${item.incident}` as '/'} className="text-accent underline">
          incident {item.incident}
        </Link>
      )}
      {item === delivery.items[0] && delivery.others > 0 && (
        <span className="block text-sm text-muted">
          and {delivery.others} of projects that you have no role in
        </span>
      )}
      {reasons.map((reason) => (
        <span key={reason} className="block text-sm break-words text-muted">
          <bdi>{visible(reason)}</bdi>
        </span>
      ))}
    </>
  );
}

function Decide({ id, title }: { id: number; title: string }) {
  const decide = async (verb: 'approve' | 'reject') =>
    await act(
      'intake',
      async () => await send<IntakeDelivery>('POST', `/intake/items/${id}/${verb}`),
      (delivery) => outcome(delivery, id),
    );
  const about = visible(title);
  return (
    <span className="flex gap-1">
      <Button aria-label={`Take up ${about}`} onClick={() => void decide('approve')}>
        Take up
      </Button>
      <Button look="danger" aria-label={`Refuse ${about}`} onClick={() => void decide('reject')}>
        Refuse
      </Button>
    </span>
  );
}

function Again({ delivery: { id } }: { delivery: IntakeDelivery }) {
  const replay = async () =>
    await act(
      'intake',
      async () => await send('POST', `/intake/deliveries/${id}/replay`),
      () => 'It is worked on again.',
    );
  return (
    <Button aria-label={`Work on delivery ${id} again`} onClick={() => void replay()}>
      Again
    </Button>
  );
}
