// What a change of the policy is: rules that are added and removed, and what runs asked for that would fare otherwise.
import type { EgressRehearsal } from '../../../protocol/egress.ts';
import { visible } from '../log/visible.ts';

/** The rules, those that go first. */
export function Difference({ added, removed }: { added: readonly string[]; removed: readonly string[] }) {
  if (added.length === 0 && removed.length === 0)
    return <p className="text-muted">No rule changes: comments and order alone.</p>;
  return (
    <ul className="space-y-0.5 overflow-x-auto font-mono text-sm">
      {removed.map((rule) => (
        <li key={`- ${rule}`} className="text-bad">
          − <bdi>{visible(rule)}</bdi>
        </li>
      ))}
      {added.map((rule) => (
        <li key={`+ ${rule}`} className="text-good">
          + <bdi>{visible(rule)}</bdi>
        </li>
      ))}
    </ul>
  );
}

/** What it means for requests that runs made. */
export function Effect({ rehearsal }: { rehearsal: EgressRehearsal }) {
  const { requests, allowed, refused, complete } = rehearsal;
  if (requests === 0) return <p className="text-muted">No run asked for anything in the last week.</p>;
  return (
    <div className="space-y-2">
      <p>
        {(allowed.requests + refused.requests).toLocaleString('en')} of {requests.toLocaleString('en')}{' '}
        requests {complete ? 'of the last week' : 'that runs made last'} would fare otherwise.
      </p>
      <Asked title="Let out from then on" asked={allowed} />
      <Asked title="Refused from then on" asked={refused} />
    </div>
  );
}

function Asked({ title, asked }: { title: string; asked: EgressRehearsal['allowed'] }) {
  if (asked.requests === 0) return null;
  const more = asked.requests - asked.most.reduce((sum, { requests }) => sum + requests, 0);
  return (
    <div>
      <h4 className="font-medium">
        {title}: {asked.requests.toLocaleString('en')}
      </h4>
      <ul aria-label={title} className="max-h-60 overflow-y-auto text-sm" tabIndex={0}>
        {asked.most.map(({ what, requests }) => (
          <li key={what} className="flex gap-3">
            <span className="w-14 shrink-0 text-right text-muted">{requests} ×</span>
            <code className="break-all">
              <bdi>{visible(what)}</bdi>
            </code>
          </li>
        ))}
        {more > 0 && <li className="text-muted">and {more.toLocaleString('en')} more</li>}
      </ul>
    </div>
  );
}
