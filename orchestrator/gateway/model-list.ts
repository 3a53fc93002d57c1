// The models that a caller may use, in the shape that its client knows. Used by call.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Catalogue } from '../models/catalogue.ts';
import { mayUse } from './ladder.ts';
import type { Caller } from './keys.ts';

interface Named {
  name: string;
  engine: string;
}

/** All models and roles that the caller may ask for. */
export function modelList(catalogue: Catalogue, caller: Caller, anthropic: boolean): object {
  const all = namesFor(catalogue, caller);
  if (!anthropic) return { object: 'list', data: all.map(ofOpenai) };
  const data = all.map(ofAnthropic);
  return { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
}

/** One of them; ERR_MODEL_UNKNOWN lists them. */
export function oneModel(catalogue: Catalogue, caller: Caller, name: string, anthropic: boolean): object {
  const all = namesFor(catalogue, caller);
  const found = all.find((model) => model.name === name);
  if (found !== undefined) return anthropic ? ofAnthropic(found) : ofOpenai(found);
  throw new AutocodeError('ERR_MODEL_UNKNOWN', `There is no model "${name}".`, {
    remedy: `The models are ${all.map((model) => model.name).join(', ')}.`,
  });
}

function namesFor(catalogue: Catalogue, caller: Caller): Named[] {
  const models = catalogue.list();
  const roles = [...new Set(models.flatMap((model) => model.roles))].map((role) => `autocode/${role}`);
  return [
    ...roles.filter((role) => mayUse(caller, role)).map((name) => ({ name, engine: 'autocode' })),
    ...models.filter(({ name }) => mayUse(caller, name)),
  ];
}

const ofOpenai = ({ name, engine }: Named) => ({ id: name, object: 'model', created: 0, owned_by: engine });

const ofAnthropic = ({ name }: Named) => ({
  type: 'model',
  id: name,
  display_name: name,
  created_at: '1970-01-01T00:00:00Z',
});
