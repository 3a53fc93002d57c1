// A new project: first where its repository is, which is looked at, then what was found there and what is to be different.
import { useState, type FormEvent } from 'react';
import type { Project } from '../../../protocol/project.ts';
import type { RepositoryLook } from '../../../protocol/repository-look.ts';
import { ApiError, send } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { Check } from '../ui/check.tsx';
import { Field, Input } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { Found } from './found.tsx';
import { BLANK, makeProject, withFound, type NewProject } from './new-project.ts';
import { NewProjectFields } from './new-project-fields.tsx';
import { Suggestions } from './suggestions.tsx';

interface FormProps {
  /** Where there is a way out without a project. */
  onClose?: () => void;
  onMade: (project: Project) => void;
}

/** The whole form. What was typed stays when the session or the daemon goes meanwhile. */
export function NewProjectForm({ onClose, onMade }: FormProps) {
  const [typed, setTyped] = useState<NewProject>(BLANK);
  const [look, setLook] = useState<RepositoryLook>();
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const known = typed.hosted || look !== undefined;
  const tried = async (work: () => Promise<void>) => {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await tried(async () => {
      if (known) return onMade(await makeProject(typed, look));
      const found = await send<RepositoryLook>('POST', '/repository-looks', { origin: typed.origin.trim() });
      setLook(found);
      setTyped(withFound(typed, found));
    });
  };
  const isDirty = problem instanceof ApiError && problem.code === 'ERR_REPOSITORY_DIRTY';
  return (
    <form onSubmit={(event) => void submit(event)} className="space-y-4">
      {!typed.hosted && (
        <Field
          label="Repository"
          hint="A path on the daemon’s machine, or an address that git can clone: https, ssh or git@host:path."
        >
          <Input
            value={typed.origin}
            required
            autoFocus
            maxLength={4096}
            list="repositories"
            placeholder="https://git.example.com/acme/shop.git"
            onChange={({ target }) => {
              const name = typed.name === look?.name ? '' : typed.name; // what was proposed is proposed anew
              setTyped({ ...typed, name, origin: target.value });
              setLook(undefined);
            }}
          />
        </Field>
      )}
      <Suggestions id="repositories" />
      <Check
        label="There is none yet: an empty one is hosted here"
        checked={typed.hosted}
        onChange={({ target }) => {
          setTyped({ ...typed, hosted: target.checked });
          setLook(undefined);
        }}
      />
      {look !== undefined && (
        <Found look={look} token={typed.token} onToken={(token) => setTyped({ ...typed, token })} />
      )}
      {known && <NewProjectFields typed={typed} look={look} problem={problem} onChange={setTyped} />}
      {problem !== undefined && <Problem error={problem} />}
      {isDirty && (
        <Check
          label="Go on with it: what is not committed is no part of any run"
          checked={typed.allowDirty}
          onChange={({ target }) => setTyped({ ...typed, allowDirty: target.checked })}
        />
      )}
      <div className="flex justify-end gap-2">
        {onClose !== undefined && <Button onClick={onClose}>Close</Button>}
        <Button type="submit" look="primary" disabled={busy}>
          {known ? 'Make the project' : busy ? 'Looking …' : 'Look at it'}
        </Button>
      </div>
    </form>
  );
}
