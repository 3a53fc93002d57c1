// Forges that are connected, each with what its token opens; another one, or another token of one.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { Forge, ForgeInput, ImportableRepository } from '../../../protocol/forge.ts';
import { get, send } from '../api/client.ts';
import { forgesQuery } from '../projects/data.ts';
import { FORGE_WORDS } from '../projects/words.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Check } from '../ui/check.tsx';
import { Field, Input, Select, TextArea } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';

/** The step. */
export function ForgeStep() {
  const { data: forges = [], error } = useQuery(forgesQuery);
  return (
    <div className="space-y-4">
      {error && <Problem error={error} />}
      {forges.length > 0 && (
        <ul aria-label="Forges" className="divide-y divide-line rounded-md border border-line">
          {forges.map((forge) => (
            <Connected key={forge.name} forge={forge} />
          ))}
        </ul>
      )}
      <details open={forges.length === 0}>
        <summary className="py-1 font-medium">
          {forges.length === 0 ? 'A forge' : 'Another forge, or another token'}
        </summary>
        <ForgeForm />
      </details>
      <p className="text-sm text-muted">
        A repository on no forge, as a path on this machine, needs nothing here: its changes are branches that
        are merged from the review page. Skip this step then.
      </p>
    </div>
  );
}

/** What its token opens: looked at at once, as that is the test of it. */
function Connected({ forge: { name, kind, url } }: { forge: Forge }) {
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ['forges', name, 'repositories'],
    queryFn: async ({ signal }) =>
      await get<ImportableRepository[]>(`/forges/${name}/repositories`, {}, signal),
    retry: false,
  });
  const word = isFetching ? 'Looking …' : 'Test';
  return (
    <li className="space-y-1.5 px-3 py-2">
      <div className="flex flex-wrap items-center gap-2">
        <span className="font-medium">{name}</span>
        <Badge tone="info">{FORGE_WORDS[kind]}</Badge>
        <bdi className="text-sm text-muted">{url}</bdi>
        <Button
          className="ml-auto"
          disabled={isFetching}
          aria-label={`${word} ${name}`}
          onClick={() => void refetch()}
        >
          {word}
        </Button>
      </div>
      {error !== null && !isFetching && (
        <>
          <Problem error={error} />
          <p className="text-muted">Another token for the same address takes the place of this one.</p>
        </>
      )}
      {data !== undefined && error === null && (
        <p>
          <Badge tone="good">works</Badge> Its token may push to{' '}
          {data.length === 1 ? 'one repository' : `${data.length} repositories`}
          {data.length > 0 && `, as ${data[0]!.path}`}.
        </p>
      )}
    </li>
  );
}

const TOKEN_HINT =
  'Of a user who may write to the repositories; at Gitea and Forgejo with the scopes write:repository and write:issue. It goes to the secret store alone.';

function ForgeForm() {
  const cache = useQueryClient();
  const [isApp, setIsApp] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const text = (name: string) => ((given.get(name) as string | null) ?? '').trim();
    const some = ['name', 'kind', 'appId'].flatMap((name) => (text(name) === '' ? [] : [[name, text(name)]]));
    const input: ForgeInput = { url: text('url'), token: text('token'), ...Object.fromEntries(some) };
    setBusy(true);
    setProblem(undefined);
    try {
      await send<Forge>('POST', '/forges', input);
      await cache.invalidateQueries({ queryKey: ['forges'] });
      form.reset();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="mt-2 space-y-3">
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label="Address" hint="Of the forge, as https://git.example.com or https://github.com.">
          <Input name="url" type="url" required maxLength={2000} autoComplete="off" />
        </Field>
        <Field label="Kind">
          <Select name="kind" defaultValue="">
            <option value="">found out by its address</option>
            {Object.entries(FORGE_WORDS).map(([kind, label]) => (
              <option key={kind} value={kind}>
                {label}
              </option>
            ))}
          </Select>
        </Field>
        <Field label="Name" hint="Empty: by its address.">
          <Input name="name" maxLength={63} pattern="[a-z0-9][a-z0-9._\-]*" autoComplete="off" />
        </Field>
        {isApp ? (
          <Field label="Id of the App">
            <Input name="appId" required maxLength={100} autoComplete="off" />
          </Field>
        ) : (
          <Field label="Access token" hint={TOKEN_HINT}>
            <Input name="token" type="password" required maxLength={8192} autoComplete="off" />
          </Field>
        )}
      </div>
      {isApp && (
        <Field
          label="Private key of the App"
          hint="As GitHub gave it, PEM. It goes to the secret store alone."
        >
          <TextArea
            name="token"
            required
            rows={4}
            maxLength={8192}
            autoComplete="off"
            className="font-mono"
          />
        </Field>
      )}
      <Check
        label="By a GitHub App instead of a token"
        checked={isApp}
        onChange={({ target }) => setIsApp(target.checked)}
      />
      {problem !== undefined && <Problem error={problem} />}
      <Button type="submit" look="primary" disabled={busy}>
        {busy ? 'Connecting …' : 'Connect it'}
      </Button>
    </form>
  );
}
