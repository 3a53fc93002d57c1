// The fields that narrow the traffic.
import { useNavigate } from '@tanstack/react-router';
import type { FormEvent } from 'react';
import { Button } from '../ui/button.tsx';
import { Field, Input, Select } from '../ui/field.tsx';
import { DECISIONS, searchOf, trafficFilter, type Drawn, type TrafficFilter } from './filter.ts';

/** The form; what it asks for stands in the address afterwards. */
export function FilterForm({ view, filter, drawn }: { view: string; filter: TrafficFilter; drawn: Drawn }) {
  const navigate = useNavigate();
  const show = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = [...new FormData(event.currentTarget)]
      .map(([name, value]) => [name, (value as string).trim()] as const)
      .filter(([, value]) => value !== '');
    const { since, until } = filter;
    const next = trafficFilter({ since, until, ...Object.fromEntries(given) });
    void navigate({ to: '/traffic', search: searchOf(view, next, drawn) as never });
  };
  return (
    <form key={JSON.stringify(filter)} onSubmit={show} className="flex flex-wrap items-end gap-3">
      <Field label="Host">
        <Input name="host" defaultValue={filter.host} placeholder="*.example.com" maxLength={255} />
      </Field>
      <Field label="Words in the address">
        <Input name="text" defaultValue={filter.text} maxLength={500} />
      </Field>
      <Field label="Project">
        <Input name="project" defaultValue={filter.project} />
      </Field>
      <Field label="Run">
        <Input name="run" defaultValue={filter.run} placeholder="12-1" className="max-w-24" />
      </Field>
      <Field label="Decision">
        <Select name="decision" defaultValue={filter.decision ?? ''}>
          <option value="">all</option>
          {DECISIONS.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </Select>
      </Field>
      <Button type="submit">Show</Button>
    </form>
  );
}
