// When the tasks of a project begin: how many at a time, after which changes, at which times not.
import type { QuietHours } from '../../../protocol/order-of-work.ts';
import { Button } from '../ui/button.tsx';
import { Check } from '../ui/check.tsx';
import { Field, Input, Select } from '../ui/field.tsx';
import { bindOf, Group, type GroupProps } from './group.tsx';
import { mistakeAt } from './mistake.ts';
import { AFTER_CHANGE_WORDS, CLASSES, CLASS_WORDS, DAY_WORDS, WEEK } from './words.ts';

/** The group "Order of work". */
export function OrderFields(parts: GroupProps) {
  const { draft, problem, onChange } = parts;
  const bind = bindOf(parts);
  return (
    <Group title="Order of work">
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label="Runs at a time" hint="Empty: as configured." mistake={mistakeAt(problem, 'maxRuns')}>
          <Input {...bind('maxRuns')} type="number" min={1} max={100000} step={1} />
        </Field>
        <Field label="While a repository has an open change, a task">
          <Select
            value={draft.afterChange}
            onChange={({ target }) =>
              onChange({ ...draft, afterChange: target.value as typeof draft.afterChange })
            }
          >
            {Object.entries(AFTER_CHANGE_WORDS).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </Select>
        </Field>
      </div>
      <Check
        label="It has quiet hours of its own, in which no run begins"
        hint="Else those of the configuration hold."
        checked={draft.ownQuietHours}
        onChange={({ target }) => onChange({ ...draft, ownQuietHours: target.checked })}
      />
      {draft.ownQuietHours && (
        <QuietFields
          hours={draft.quietHours}
          mistake={mistakeAt(problem, 'quietHours')}
          onChange={(quietHours) => onChange({ ...draft, quietHours })}
        />
      )}
    </Group>
  );
}

const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

interface QuietFieldsProps {
  hours: QuietHours[];
  mistake: string | undefined;
  onChange: (hours: QuietHours[]) => void;
}

function QuietFields({ hours, mistake, onChange }: QuietFieldsProps) {
  const put = (at: number, change: Partial<QuietHours>) =>
    onChange(hours.map((each, index) => (index === at ? { ...each, ...change } : each)));
  const next: QuietHours = { days: WEEK, from: '22:00', to: '06:00', timeZone: zone(), except: ['incident'] };
  return (
    <div className="space-y-2">
      {hours.length === 0 && <p className="text-muted">None: its runs begin at any time.</p>}
      {hours.map((each, at) => (
        <fieldset key={at} className="space-y-2 rounded-md border border-line p-3">
          <legend className="px-1 font-medium">Quiet hours {at + 1}</legend>
          <div className="flex flex-wrap items-end gap-2">
            <Field label="From">
              <Input
                type="time"
                required
                className="w-28!"
                value={each.from}
                onChange={({ target }) => put(at, { from: target.value })}
              />
            </Field>
            <Field label="To">
              <Input
                type="time"
                required
                className="w-28!"
                value={each.to}
                onChange={({ target }) => put(at, { to: target.value })}
              />
            </Field>
            <Field label="Time zone">
              <Input
                required
                className="w-44!"
                value={each.timeZone}
                onChange={({ target }) => put(at, { timeZone: target.value })}
              />
            </Field>
            <Button look="quiet" onClick={() => onChange(hours.filter((_, index) => index !== at))}>
              Remove
            </Button>
          </div>
          <Boxes
            label="Begins on"
            all={WEEK}
            words={DAY_WORDS}
            on={each.days}
            onChange={(days) => put(at, { days })}
          />
          <Boxes
            label="Begin all the same"
            all={CLASSES}
            words={CLASS_WORDS}
            on={each.except}
            onChange={(except) => put(at, { except })}
          />
        </fieldset>
      ))}
      {mistake !== undefined && <p className="text-sm text-bad">{mistake}</p>}
      <Button onClick={() => onChange([...hours, next])}>Add quiet hours</Button>
    </div>
  );
}

interface BoxesProps<T extends string> {
  label: string;
  all: T[];
  words: Record<T, string>;
  on: T[];
  onChange: (on: T[]) => void;
}

function Boxes<T extends string>({ label, all, words, on, onChange }: BoxesProps<T>) {
  return (
    <fieldset className="flex flex-wrap gap-x-3 gap-y-1">
      <legend className="text-sm text-muted">{label}</legend>
      {all.map((each) => (
        <Check
          key={each}
          label={words[each]}
          checked={on.includes(each)}
          onChange={({ target }) =>
            onChange(all.filter((other) => (other === each ? target.checked : on.includes(other))))
          }
        />
      ))}
    </fieldset>
  );
}
