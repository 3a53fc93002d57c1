// Sets a budget: a new one, or another amount of one that is there.
import { useState, type FormEvent } from 'react';
import type { Budget, BudgetInput, BudgetPeriod, BudgetScope, BudgetUnit } from '../../../protocol/budget.ts';
import { send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input, Select } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { ONE, unitName } from './amounts.ts';

const SCOPES = ['appliance', 'project', 'agent', 'person', 'worker', 'task', 'run'] satisfies BudgetScope[];
const PERIODS = ['day', 'week', 'month', 'total'] satisfies BudgetPeriod[];
const UNITS = ['money', 'tokens', 'gpu'] satisfies BudgetUnit[];

interface DialogProps {
  budget: Budget | undefined;
  currency: string;
  onClose: () => void;
}

/** The dialog; of a budget that is there only its amount changes. */
export function BudgetDialog({ budget, currency, onClose }: DialogProps) {
  const [scope, setScope] = useState<BudgetScope>(budget?.scope ?? 'project');
  const [unit, setUnit] = useState<BudgetUnit>(budget?.unit ?? 'money');
  const [problem, setProblem] = useState<unknown>();
  const set = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const text = (name: string) => (given.get(name) as string | null)?.trim();
    const input: BudgetInput = {
      scope,
      subject: budget?.subject ?? text('subject') ?? '',
      period: budget?.period ?? (text('period') as BudgetPeriod),
      unit,
      amount: Math.round(Number(text('amount')) * ONE[unit]),
    };
    try {
      await send<Budget[]>('PUT', '/budgets', input);
      toast('The budget is set.');
      await queries.invalidateQueries({ queryKey: ['money'] });
      onClose();
    } catch (error) {
      setProblem(error);
    }
  };
  const fixed = budget !== undefined;
  return (
    <Dialog title={fixed ? 'Change a budget' : 'New budget'} onClose={onClose}>
      <form onSubmit={(event) => void set(event)} className="grid gap-3 p-4 sm:grid-cols-2">
        <Field label="Of">
          <Select
            value={scope}
            disabled={fixed}
            onChange={({ target }) => setScope(target.value as BudgetScope)}
          >
            {SCOPES.map((each) => (
              <option key={each} value={each}>
                {each === 'appliance' ? 'everything' : each}
              </option>
            ))}
          </Select>
        </Field>
        {scope === 'appliance' ? (
          <span className="max-sm:hidden" />
        ) : (
          <Field label="Whose" hint="Its name, or * for each that has none of its own.">
            <Input
              name="subject"
              required
              disabled={fixed}
              defaultValue={budget?.subject}
              autoComplete="off"
            />
          </Field>
        )}
        <Field label="A">
          <Select name="period" disabled={fixed} defaultValue={budget?.period ?? 'month'}>
            {PERIODS.map((each) => (
              <option key={each} value={each}>
                {each === 'total' ? 'all time' : each}
              </option>
            ))}
          </Select>
        </Field>
        <Field label="In">
          <Select
            value={unit}
            disabled={fixed}
            onChange={({ target }) => setUnit(target.value as BudgetUnit)}
          >
            {UNITS.map((each) => (
              <option key={each} value={each}>
                {unitName(each, currency)}
              </option>
            ))}
          </Select>
        </Field>
        <Field label={`Amount (${unitName(unit, currency)})`}>
          <Input
            name="amount"
            type="number"
            required
            min={0}
            step="any"
            defaultValue={budget === undefined ? undefined : budget.amount / ONE[unit]}
          />
        </Field>
        {problem !== undefined && (
          <div className="sm:col-span-2">
            <Problem error={problem} />
          </div>
        )}
        <div className="flex justify-end gap-2 sm:col-span-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary">
            Set budget
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
