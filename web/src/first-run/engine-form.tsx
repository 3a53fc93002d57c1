// Where models are served from: a server of one's own or an API, written into the configuration.
import { useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { Settings } from '../../../protocol/settings.ts';
import { Button } from '../ui/button.tsx';
import { Check } from '../ui/check.tsx';
import { Field, Input, Select, TextArea } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { addEngine, engineName, NO_ENGINE, secretOf, type Speaks, type TypedEngine } from './engine.ts';

/** What servers speak, by their usual names. */
const KINDS: [label: string, protocols: Speaks[]][] = [
  ['OpenAI Chat Completions (vLLM, Ollama, llama.cpp, most others)', ['chat']],
  ['OpenAI Chat Completions and Responses', ['chat', 'responses']],
  ['Anthropic Messages', ['messages']],
  ['All three', ['chat', 'responses', 'messages']],
];

/** `first`: no other engine is there yet. */
export function EngineForm({ settings, first }: { settings: Settings; first: boolean }) {
  const cache = useQueryClient();
  const [typed, setTyped] = useState<TypedEngine>({ ...NO_ENGINE, isDefault: first });
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const fixed = settings.keys.find(({ path }) => path === 'models.engines')?.fixedBy ?? null;
  const bind = (name: 'name' | 'url' | 'models' | 'key' | 'priceIn' | 'priceOut') => ({
    value: typed[name],
    onChange: ({ target }: { target: { value: string } }) => setTyped({ ...typed, [name]: target.value }),
  });
  const named = typed.name === '' ? engineName(typed.url) : typed.name;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      cache.setQueryData(['settings'], await addEngine({ ...typed, name: named }));
      toast(`${named} is in the configuration.`);
      setTyped({ ...NO_ENGINE, isDefault: false });
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  if (settings.readOnly !== null || fixed !== null) return <CannotWrite settings={settings} fixed={fixed} />;
  return (
    <form onSubmit={(event) => void submit(event)} className="mt-2 space-y-3">
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label="Address" hint="Without /v1, as http://10.0.0.5:8000 or https://api.example.com.">
          <Input {...bind('url')} type="url" required autoComplete="off" />
        </Field>
        <Field label="Name" hint="Before the slash of its models’ names.">
          <Input
            {...bind('name')}
            placeholder={named}
            maxLength={63}
            pattern="[a-z0-9][a-z0-9._\-]*"
            autoComplete="off"
          />
        </Field>
        <Field label="It speaks">
          <Select
            value={typed.protocols.join()}
            onChange={({ target }) => setTyped({ ...typed, protocols: target.value.split(',') as Speaks[] })}
          >
            {KINDS.map(([label, protocols]) => (
              <option key={label} value={protocols.join()}>
                {label}
              </option>
            ))}
          </Select>
        </Field>
        <Field
          label="API key"
          hint={`Goes to the secret store, as ${secretOf(named === '' ? 'NAME' : named)}; empty for a server that wants none.`}
        >
          <Input {...bind('key')} type="password" autoComplete="off" />
        </Field>
        <Field label="Models" hint="As the server names them, one a line.">
          <TextArea {...bind('models')} required rows={2} className="font-mono" />
        </Field>
        <div className="grid grid-cols-2 content-start gap-3">
          <Field label="Price in" hint="Of a million tokens; empty: the ceiling price.">
            <Input {...bind('priceIn')} type="number" min={0} step="any" />
          </Field>
          <Field label="Price out">
            <Input {...bind('priceOut')} type="number" min={0} step="any" />
          </Field>
        </div>
      </div>
      <Check
        label="Its first model is the default of tasks that name none"
        checked={typed.isDefault}
        onChange={({ target }) => setTyped({ ...typed, isDefault: target.checked })}
      />
      {problem !== undefined && <Problem error={problem} />}
      <Button type="submit" look="primary" disabled={busy}>
        Add the engine
      </Button>
    </form>
  );
}

function CannotWrite({ settings, fixed }: { settings: Settings; fixed: string | null }) {
  return (
    <p className="mt-2">
      {settings.readOnly === null
        ? `models.engines is set by ${fixed}, and changed there.`
        : `${settings.readOnly.reason} ${settings.readOnly.remedy}`}
    </p>
  );
}
