// The commands that verify a result, one a row. Used where a project is made and where it is edited.
import type { VerifyCommand } from '../../../protocol/project.ts';
import { Button } from '../ui/button.tsx';
import { Input, Select } from '../ui/field.tsx';

interface VerifyFieldsProps {
  commands: VerifyCommand[];
  /** Names of the project's repositories, where there are several. */
  repositories?: string[];
  onChange: (commands: VerifyCommand[]) => void;
}

/** All rows, and a way to one more. */
export function VerifyFields({ commands, repositories = [], onChange }: VerifyFieldsProps) {
  const put = (at: number, change: Partial<VerifyCommand>) =>
    onChange(commands.map((each, index) => (index === at ? { ...each, ...change } : each)));
  const placeOf = (at: number, place: string) =>
    onChange(
      commands.map(({ in: was, ...each }, index) => {
        const kept = index === at ? place : (was ?? '');
        return kept === '' ? each : { ...each, in: kept };
      }),
    );
  return (
    <fieldset className="space-y-1.5">
      <legend className="font-medium">Verify commands</legend>
      <p className="text-sm text-muted">
        Run in order, from a fresh clone; exit code 0 passes. What fails goes back to the agent.
      </p>
      {commands.map(({ name, command, in: place = '' }, at) => (
        <div key={at} className="flex flex-wrap gap-1.5 sm:flex-nowrap">
          <Input
            aria-label={`Name of check ${at + 1}`}
            className="sm:w-32!"
            value={name}
            required
            maxLength={80}
            onChange={({ target }) => put(at, { name: target.value })}
          />
          <Input
            aria-label={`Command of check ${at + 1}`}
            className="font-mono"
            value={command}
            required
            placeholder="npm test"
            onChange={({ target }) => put(at, { command: target.value })}
          />
          {repositories.length > 1 && (
            <Select
              aria-label={`Repository of check ${at + 1}`}
              className="sm:w-36!"
              value={place}
              onChange={({ target }) => placeOf(at, target.value)}
            >
              <option value="">root</option>
              {repositories.map((repository) => (
                <option key={repository}>{repository}</option>
              ))}
            </Select>
          )}
          <Button
            look="quiet"
            aria-label={`Remove check ${at + 1}`}
            onClick={() => onChange(commands.filter((_, index) => index !== at))}
          >
            Remove
          </Button>
        </div>
      ))}
      <Button
        onClick={() => onChange([...commands, { name: commands.length === 0 ? 'test' : '', command: '' }])}
      >
        Add a check
      </Button>
    </fieldset>
  );
}
