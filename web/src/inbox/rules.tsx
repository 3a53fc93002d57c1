// Who is told of what: somebody's own rules, and for admins those of the installation and of others.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { NotificationRule } from '../../../protocol/notification.ts';
import { act } from '../api/act.ts';
import { get, send } from '../api/client.ts';
import { useMayInAll, useUser } from '../session/session.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Table } from '../ui/table.tsx';
import { RuleDialog, RULES_AT, type Whose } from './rule-dialog.tsx';
import { wordsOf } from './words.ts';

/** The rules that somebody may see. */
export function Rules() {
  const user = useUser();
  const admin = useMayInAll('admin');
  return (
    <>
      {user?.person === true && <RulesOf whose="own" title="What I am told" />}
      {admin && <RulesOf whose="all" title="What everybody is told" />}
      {user?.person === false && !admin && (
        <Empty title="This token belongs to nobody">
          <p>Rules of one’s own belong to people: sign in as one of them.</p>
        </Empty>
      )}
    </>
  );
}

function RulesOf({ whose, title }: { whose: Whose; title: string }) {
  const [open, setOpen] = useState<NotificationRule | 'new'>();
  const { data, error } = useQuery({
    queryKey: ['notification-rules', whose],
    queryFn: async ({ signal }) => await get<NotificationRule[]>(RULES_AT[whose], {}, signal),
  });
  const heads = ['Of what', 'In', ...(whose === 'all' ? ['Whose inbox'] : []), 'Besides by', 'Actions'];
  return (
    <Section
      title={title}
      actions={
        <Button look={whose === 'own' ? 'primary' : 'normal'} onClick={() => setOpen('new')}>
          {whose === 'own' ? 'New rule' : 'New rule for others'}
        </Button>
      }
    >
      {error && <Problem error={error} />}
      {data?.length === 0 && <Nothing whose={whose} />}
      {data !== undefined && data.length > 0 && (
        <Table label={title} heads={heads}>
          {data.map((rule) => (
            <Row key={rule.id} rule={rule} whose={whose} onChange={() => setOpen(rule)} />
          ))}
        </Table>
      )}
      {open !== undefined && (
        <RuleDialog
          whose={whose}
          onClose={() => setOpen(undefined)}
          {...(open === 'new' ? {} : { rule: open })}
        />
      )}
    </Section>
  );
}

function Row({ rule, whose, onChange }: { rule: NotificationRule; whose: Whose; onChange: () => void }) {
  const { id, person, project, kinds, channels, ownTasks } = rule;
  const remove = async () =>
    await act(
      'notification-rules',
      async () => await send('DELETE', `${RULES_AT[whose]}/${id}`),
      () => `Rule ${id} is removed.`,
    );
  return (
    <tr>
      <Cell className="min-w-48">
        <span className="flex flex-wrap gap-1">
          {kinds.map((kind) => (
            <Badge key={kind} tone={wordsOf(kind).tone}>
              {wordsOf(kind).text}
            </Badge>
          ))}
        </span>
      </Cell>
      <Cell className="whitespace-nowrap">
        {project ?? 'all projects'}
        {ownTasks && ', own tasks'}
      </Cell>
      {whose === 'all' && (
        <Cell className="whitespace-nowrap">
          {person ?? <span className="text-muted">the installation’s</span>}
        </Cell>
      )}
      <Cell>{channels.length === 0 ? '–' : channels.join(', ')}</Cell>
      <Cell className="py-0.5! whitespace-nowrap">
        <Button look="quiet" onClick={onChange} aria-label={`Change rule ${id}`}>
          Change
        </Button>
        <Button look="quiet" onClick={() => void remove()} aria-label={`Remove rule ${id}`}>
          Remove
        </Button>
      </Cell>
    </tr>
  );
}

function Nothing({ whose }: { whose: Whose }) {
  return whose === 'own' ? (
    <Empty title="You are told of nothing yet">
      <p>
        A rule puts what happens into your inbox: a change that waits for review, a task that failed or waits
        for your word, an incident. It holds from now on.
      </p>
    </Empty>
  ) : (
    <Empty title="No rules yet">
      <p>A rule fills a person’s inbox or that of the installation, and sends by channels besides.</p>
    </Empty>
  );
}
