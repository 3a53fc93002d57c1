// What a look at a repository found: its branch, its forge and what is wrong with it.
import type { ReactNode } from 'react';
import type { RepositoryLook } from '../../../protocol/repository-look.ts';
import { visible } from '../log/visible.ts';
import { Badge } from '../ui/badge.tsx';
import { Field, Input } from '../ui/field.tsx';
import { Told } from '../ui/told.tsx';

const KINDS = { gitea: 'Gitea or Forgejo', github: 'GitHub', gitlab: 'GitLab' };

interface FoundProps {
  look: RepositoryLook;
  token: string;
  onToken: (token: string) => void;
}

/** The facts; a token is asked for where a forge is not connected yet. */
export function Found({ look, token, onToken }: FoundProps) {
  const { forge, kind, defaultBranch, projects, problem, file } = look;
  const unknown = kind !== null && forge === 'local';
  return (
    <section aria-label="What was found" aria-live="polite" className="space-y-2 rounded-md bg-sunken p-3">
      {defaultBranch !== null && (
        <Line word="branch">
          <bdi>{visible(defaultBranch)}</bdi>
        </Line>
      )}
      {forge !== 'local' && (
        <Line word="forge">
          Changes become pull requests at {forge}
          {kind !== null && ` (${KINDS[kind]})`}.
        </Line>
      )}
      {forge === 'local' && kind === null && (
        <Line word="no forge">A change is a branch that is pushed there; it is merged from here.</Line>
      )}
      {file && <Line word=".autocode.yaml">It has one, which decides wherever nothing is said here.</Line>}
      {projects.length > 0 && <p className="text-warn">It is in use already, by {projects.join(', ')}.</p>}
      {problem !== null && (
        <div role="alert">
          <p className="font-medium text-bad">
            <Told words={visible(problem.message)} />
          </p>
          {problem.remedy !== null && (
            <p>
              <Told words={problem.remedy} />
            </p>
          )}
        </div>
      )}
      {unknown && (
        <Field
          label={`Access token for this ${KINDS[kind]}`}
          hint="It is not connected yet. With a token of a user who may push, changes become pull requests there; it goes to the secret store alone."
        >
          <Input
            type="password"
            autoComplete="off"
            value={token}
            onChange={({ target }) => onToken(target.value)}
          />
        </Field>
      )}
    </section>
  );
}

function Line({ word, children }: { word: string; children: ReactNode }) {
  return (
    <p>
      <Badge tone="info">{word}</Badge> {children}
    </p>
  );
}
