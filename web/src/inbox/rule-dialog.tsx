// Makes a rule, or changes one: of what, of which project, into whose inbox, by which channels besides.
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { NotificationChannel, NotificationRule } from '../../../protocol/notification.ts';
import type { Person } from '../../../protocol/person.ts';
import type { Project } from '../../../protocol/project.ts';
import { get, send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Select } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { KIND_WORDS, KINDS } from './words.ts';

/** Whose rules: one's own, or all of them. */
export type Whose = 'own' | 'all';

export const RULES_AT: Record<Whose, string> = {
  own: '/own-notification-rules',
  all: '/notification-rules',
};

interface RuleDialogProps {
  whose: Whose;
  /** The one that is changed; a new one when left out. */
  rule?: NotificationRule;
  onClose: () => void;
}

/** The dialog. */
export function RuleDialog({ whose, rule, onClose }: RuleDialogProps) {
  const [problem, setProblem] = useState<unknown>();
  const [mistake, setMistake] = useState<string>();
  const [isForPerson, setForPerson] = useState(false);
  const projects = useQuery({ queryKey: ['projects'], queryFn: () => get<Project[]>('/projects') });
  const channels = useChannels(whose, rule?.channels ?? []);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const kinds = given.getAll('kind');
    setMistake(kinds.length === 0 ? 'Choose at least one.' : undefined);
    if (kinds.length === 0) return;
    const by = given.getAll('channel') as string[];
    const wanted = {
      kinds,
      project: (given.get('project') as string) || null,
      ownTasks: given.has('ownTasks'),
      // Those that an admin chose stay as long as nobody touches them.
      ...(rule !== undefined && isSame(by, rule.channels) ? {} : { channels: by }),
    };
    const person = (given.get('person') as string | null) || null;
    try {
      if (rule !== undefined) await send('PATCH', `${RULES_AT[whose]}/${rule.id}`, wanted);
      else await send('POST', RULES_AT[whose], whose === 'all' ? { ...wanted, person } : wanted);
      toast(rule === undefined ? 'The rule holds from now on.' : `Rule ${rule.id} is changed.`);
      onClose();
      await queries.invalidateQueries({ queryKey: ['notification-rules'] });
    } catch (error) {
      setProblem(error);
    }
  };
  const names = projects.data?.map(({ name }) => name) ?? [];
  return (
    <Dialog title={titleOf(whose, rule)} onClose={onClose}>
      <form onSubmit={submit} className="space-y-4 p-4">
        <Kinds chosen={rule?.kinds ?? []} mistake={mistake} />
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Project">
            <Select name="project" key={names.length} defaultValue={rule?.project ?? ''}>
              <option value="">All projects</option>
              {[...new Set([...names, ...(rule?.project == null ? [] : [rule.project])])].map((name) => (
                <option key={name}>{name}</option>
              ))}
            </Select>
          </Field>
          {whose === 'all' && rule === undefined && (
            <PersonField onChoose={(name) => setForPerson(name !== '')} />
          )}
        </div>
        {(whose === 'own' || rule?.person != null || isForPerson) && (
          <label className="flex items-center gap-2">
            <input type="checkbox" name="ownTasks" defaultChecked={rule?.ownTasks ?? false} />
            {whose === 'own' ? 'Only of tasks that I gave' : 'Only of tasks that this person gave'}
          </label>
        )}
        {channels.length > 0 && (
          <fieldset className="space-y-1">
            <legend className="font-medium">Besides the inbox</legend>
            {channels.map(({ name, kind }) => (
              <label key={name} className="flex items-center gap-2">
                <input
                  type="checkbox"
                  name="channel"
                  value={name}
                  defaultChecked={rule?.channels.includes(name) ?? false}
                />
                {name} <span className="text-muted">{kind}</span>
              </label>
            ))}
          </fieldset>
        )}
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary">
            {rule === undefined ? 'Make the rule' : 'Save'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function titleOf(whose: Whose, rule: NotificationRule | undefined): string {
  if (rule !== undefined) return `Rule ${rule.id}`;
  return whose === 'own' ? 'Tell me' : 'Tell others';
}

/** Channels that such a rule may name, and those that it names. */
function useChannels(whose: Whose, named: string[]): NotificationChannel[] {
  const { data = [] } = useQuery({
    queryKey: ['notification-channels'],
    queryFn: async ({ signal }) => await get<NotificationChannel[]>('/notification-channels', {}, signal),
  });
  return data.filter(({ name, forPeople }) => whose === 'all' || forPeople || named.includes(name));
}

function isSame(some: string[], others: string[]): boolean {
  return some.toSorted().join(' ') === others.toSorted().join(' ');
}

function Kinds({ chosen, mistake }: { chosen: string[]; mistake: string | undefined }) {
  return (
    <fieldset className="space-y-1">
      <legend className="font-medium">When</legend>
      {KINDS.map((kind) => (
        <label key={kind} className="flex items-start gap-2">
          <input
            type="checkbox"
            name="kind"
            value={kind}
            defaultChecked={chosen.includes(kind)}
            className="mt-1"
          />
          {KIND_WORDS[kind].when}
        </label>
      ))}
      {mistake !== undefined && (
        <p role="alert" className="text-sm text-bad">
          {mistake}
        </p>
      )}
    </fieldset>
  );
}

function PersonField({ onChoose, ...props }: { id?: string; onChoose: (name: string) => void }) {
  const { data: people = [] } = useQuery({
    queryKey: ['person', 'all'],
    queryFn: () => get<Person[]>('/people'),
  });
  return (
    <Field label="Whose inbox">
      <Select name="person" {...props} onChange={({ target }) => onChoose(target.value)}>
        <option value="">The installation’s</option>
        {people.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
    </Field>
  );
}
