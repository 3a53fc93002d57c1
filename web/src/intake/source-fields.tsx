// The fields of a source: those of all kinds, and those that its kind asks for.
import { useQuery } from '@tanstack/react-query';
import type { SourceKindDetails, SourceKinds } from '../../../protocol/intake.ts';
import type { Project } from '../../../protocol/project.ts';
import type { Secret } from '../../../protocol/secret.ts';
import { get } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { Field, Input, Select } from '../ui/field.tsx';
import { SchemaFields } from '../ui/schema-fields.tsx';
import { mistakeIn, type JsonSchema, type Mistake } from '../ui/schema.ts';
import { freshSecret, namedSecrets, newDraft, type SourceDraft } from './source-draft.ts';

interface FieldsProps {
  draft: SourceDraft;
  kinds: SourceKinds;
  /** One that is there keeps its name and kind. */
  editing: boolean;
  mistakes: Mistake[];
  onChange: (draft: SourceDraft) => void;
}

/** All of them. */
export function SourceFields({ draft, kinds, editing, mistakes, onChange }: FieldsProps) {
  const kind = kinds.kinds.find((each) => each.kind === draft.kind)!;
  const set = (part: Partial<SourceDraft>) => onChange({ ...draft, ...part });
  return (
    <div className="space-y-4">
      {!editing && (
        <div className="grid gap-3 sm:grid-cols-2">
          <Field label="Kind" hint={kind.what}>
            <Select
              autoFocus
              value={kind.kind}
              onChange={({ target }) => {
                const to = kinds.kinds.find((each) => each.kind === target.value)!;
                onChange(newDraft(to, kinds, draft));
              }}
            >
              {kinds.kinds.map((each) => (
                <option key={each.kind}>{each.kind}</option>
              ))}
            </Select>
          </Field>
          <Field label="Name" hint="How you call it, as `tracker`." mistake={mistakeIn(mistakes, 'name')}>
            <Input
              value={draft.name}
              required
              maxLength={63}
              spellCheck={false}
              onChange={({ target }) => set({ name: target.value })}
            />
          </Field>
        </div>
      )}
      <div className="grid gap-3 sm:grid-cols-2">
        <ProjectField
          kind={kind}
          project={draft.project}
          mistake={mistakeIn(mistakes, 'project')}
          onChange={(project) => set({ project })}
        />
      </div>
      <SchemaFields
        key={kind.kind}
        schema={kind.settings as JsonSchema}
        value={draft.settings}
        path="settings"
        mistakes={mistakes}
        onChange={(settings) => set({ settings })}
      />
      <SecretFields draft={draft} kind={kind} editing={editing} onChange={set} />
      <details {...(mistakes.some(({ path }) => path.startsWith('trust.')) ? { open: true } : {})}>
        <summary className="py-1 font-medium">Whose word it is, and how much of it</summary>
        <div className="mt-2">
          <SchemaFields
            schema={kinds.trust as JsonSchema}
            value={draft.trust}
            path="trust"
            mistakes={mistakes}
            onChange={(trust) => set({ trust })}
          />
        </div>
      </details>
    </div>
  );
}

interface ProjectProps {
  kind: SourceKindDetails;
  project: string;
  mistake: string | undefined;
  onChange: (project: string) => void;
}

function ProjectField({ kind, project, mistake, onChange }: ProjectProps) {
  const { data = [] } = useQuery({
    queryKey: ['projects'],
    queryFn: async ({ signal }) => await get<Project[]>('/projects', {}, signal),
  });
  const names = new Set([...data.map(({ name }) => name), ...(project === '' ? [] : [project])]);
  const none = kind.needsProject ? 'Choose one' : 'By what comes';
  return (
    <Field label="Project" hint="Whose tasks come of it." mistake={mistake}>
      <Select value={project} required={kind.needsProject} onChange={({ target }) => onChange(target.value)}>
        <option value="">{none}</option>
        {[...names].map((name) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
    </Field>
  );
}

interface SecretProps {
  draft: SourceDraft;
  kind: SourceKindDetails;
  editing: boolean;
  onChange: (part: Partial<SourceDraft>) => void;
}

/** What is kept as secrets: typed here, and shown by nobody afterwards. */
function SecretFields({ draft, kind, editing, onChange }: SecretProps) {
  const { data = [] } = useQuery({
    queryKey: ['secrets'],
    queryFn: async ({ signal }) => await get<Secret[]>('/secrets', {}, signal),
  });
  const isThere = (name: string) => data.some((each) => each.name === name);
  const own = `intake-${draft.name}`;
  const kept = (name: string) => (isThere(name) ? ' One is there: leave it empty to keep it.' : '');
  const type = draft.secret.startsWith('whsec_') ? 'text' : 'password'; // one that was made here is to be copied
  return (
    <>
      {kind.secret !== null && (
        <Field label="Secret" hint={`${kind.secret}. Kept as \`${own}\`.${editing ? kept(own) : ''}`}>
          <Input
            type={type}
            autoComplete="off"
            spellCheck={false}
            value={draft.secret}
            onChange={({ target }) => onChange({ secret: target.value })}
          />
        </Field>
      )}
      {kind.hook && (
        <Button onClick={() => onChange({ secret: freshSecret() })}>
          {editing ? 'Make another secret' : 'Make a secret'}
        </Button>
      )}
      {namedSecrets(draft.settings, kind.settings as JsonSchema).map((name) => (
        <Field key={name} label={`Value of ${name}`} hint={`Kept as the secret \`${name}\`.${kept(name)}`}>
          <Input
            type="password"
            autoComplete="off"
            value={draft.values[name] ?? ''}
            onChange={({ target }) => onChange({ values: { ...draft.values, [name]: target.value } })}
          />
        </Field>
      ))}
    </>
  );
}
