// Which models may answer a call, in the order in which they are tried: what was asked for, cut to what the caller may
// use and to what can be spoken, and the one that served the run last in front. Used by server.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Protocol } from '../../protocol/model.ts';
import { ALIAS } from '../models/catalogue.ts';
import type { Catalogue, ResolvedModel } from '../models/catalogue.ts';
import { outsideHost } from '../models/outside.ts';
import { wayTo } from '../models/translate/table.ts';
import type { Translation } from '../models/translate/translation.ts';
import { ENDPOINTS } from '../models/wire/table.ts';
import type { Caller } from './keys.ts';

/** One model to be tried. */
export interface Rung {
  model: ResolvedModel;
  /** What its engine is spoken to in. */
  protocol: Protocol;
  /** Present where that is not the client's protocol. */
  translation?: Translation;
  /** Host outside the appliance that the request goes to. */
  external?: string;
}

/** The rungs for a request, at least one; throws why none is left. */
export function rungsFor(catalogue: Catalogue, caller: Caller, asked: string, protocol: Protocol): Rung[] {
  const name = asked === '' || asked === 'default' ? caller.model : asked;
  const models = catalogue.ladder(name);
  // Who may use a role may use its models; who may use a model may not therefore use what stands in for it.
  const role = name.startsWith(ALIAS) ? [name] : [];
  const allowed = models.filter((model) => mayUse(caller, model.name, ...role));
  if (allowed.length === 0) throw notAllowed(caller, name);
  const inside = allowed.filter((model) => caller.policy.external || outsideHost(model.serves) === undefined);
  if (inside.length === 0) throw outside(caller, allowed[0] as ResolvedModel);
  const rungs = inside.flatMap((model): Rung[] => {
    const way = wayTo(spokenBy(model), protocol);
    const external = outsideHost(model.serves);
    return way === undefined ? [] : [{ model, ...way, ...(external === undefined ? {} : { external }) }];
  });
  if (rungs.length === 0) throw notSpoken(inside[0] as ResolvedModel, protocol);
  return rungs;
}

/** Whether the caller's keys and project let it use the model, by its own name or that of a role. */
export function mayUse({ policy }: Caller, ...names: string[]): boolean {
  return policy.allow.every((list) => list.length === 0 || names.some((name) => list.includes(name)));
}

/** The protocols of the model's engine itself. */
function spokenBy({ serves, protocols }: ResolvedModel): readonly Protocol[] {
  if (serves.kind === 'local') return serves.spoken;
  return serves.kind === 'upstream' ? serves.engine.protocols : protocols;
}

function notAllowed({ policy, where }: Caller, name: string): AutocodeError {
  const lists = policy.allow.filter((list) => list.length > 0).map((list) => list.join(', '));
  return new AutocodeError('ERR_FORBIDDEN', `${where} may not use the model "${name}".`, {
    remedy: `It may use ${lists.join(', and of these ')}.`,
  });
}

function outside({ where }: Caller, { name }: ResolvedModel): AutocodeError {
  return new AutocodeError(
    'ERR_FORBIDDEN',
    `The model ${name} is outside the appliance, and ${where} may not send anything there.`,
    { remedy: 'Allow it with `autocode model policy PROJECT --external`, or use another model.' },
  );
}

function notSpoken({ engine, protocols }: ResolvedModel, asked: Protocol): AutocodeError {
  const paths = protocols.map((protocol) => `/v1${ENDPOINTS[protocol].path}`);
  return new AutocodeError(
    'ERR_INVALID_INPUT',
    `The engine ${engine} does not speak /v1${ENDPOINTS[asked].path}.`,
    { remedy: `It speaks ${paths.join(', ')}: use a client that does too, or another model.` },
  );
}
