// How a project's results leave: what is looked at before, who reviews, how it is merged.
import type { RuleLevel } from '../../../protocol/submission.ts';
import { Check } from '../ui/check.tsx';
import { Field, Input, Select, TextArea } from '../ui/field.tsx';
import { bindOf, Group, type GroupProps } from './group.tsx';
import { mistakeAt } from './mistake.ts';
import { Options } from './sandbox-fields.tsx';
import { LEVELS, MERGE_WORDS, RULES, RULE_WORDS } from './words.ts';

/** The group "Changes". */
export function ChangeFields(parts: GroupProps) {
  const { draft, problem, onChange } = parts;
  const bind = bindOf(parts);
  return (
    <Group title="Changes">
      <div className="grid gap-3 sm:grid-cols-2">
        <Field
          label="Reviewers"
          hint="Login names, and teams as organisation/team, one a line; besides those of CODEOWNERS."
          mistake={mistakeAt(problem, 'reviewers')}
        >
          <TextArea {...bind('reviewers')} rows={3} />
        </Field>
        <Field
          label="Labels"
          hint="Of each pull request, one a line; made when missing."
          mistake={mistakeAt(problem, 'labels')}
        >
          <TextArea {...bind('labels')} rows={3} />
        </Field>
        <Field label="Merged by">
          <Select {...bind('mergeMethod')}>
            <option value="">as the forge’s repository has it</option>
            <Options words={MERGE_WORDS} />
          </Select>
        </Field>
      </div>
      <Check
        label="Pull requests are opened as drafts"
        checked={draft.draft}
        onChange={({ target }) => onChange({ ...draft, draft: target.checked })}
      />
      <Rules {...parts} />
    </Group>
  );
}

function Rules({ draft, onChange }: GroupProps) {
  return (
    <fieldset className="space-y-1.5">
      <legend className="font-medium">Before a result is pushed</legend>
      <p className="text-sm text-muted">
        refuse fails the run, warn is a note in the change. Paths that a rule does not apply to: between them
        a space, as <code>docs/ *.lock</code>.
      </p>
      {RULES.map((rule) => (
        <div key={rule} className="flex flex-wrap items-center gap-1.5 sm:flex-nowrap">
          <span className="w-48 shrink-0">{RULE_WORDS[rule].label}</span>
          <Select
            aria-label={`${RULE_WORDS[rule].label}: what becomes of it`}
            className="w-28!"
            value={draft.rules[rule]}
            onChange={({ target }) =>
              onChange({ ...draft, rules: { ...draft.rules, [rule]: target.value as RuleLevel } })
            }
          >
            {LEVELS.map((level) => (
              <option key={level}>{level}</option>
            ))}
          </Select>
          <Input
            aria-label={`${RULE_WORDS[rule].label}: not for these paths`}
            className="font-mono"
            placeholder="applies to all paths"
            value={draft.allow[rule]}
            onChange={({ target }) => onChange({ ...draft, allow: { ...draft.allow, [rule]: target.value } })}
          />
        </div>
      ))}
    </fieldset>
  );
}
