// /secret-bindings and /secret-leases: where secrets may go, and what runs have of them now. Never a value.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Name, RunId } from '../../../protocol/ids.ts';
import { SecretBind, SecretBinding, SecretLease } from '../../../protocol/secret-binding.ts';
import { transaction } from '../../db/connect.ts';
import { requireRules } from '../../egress/policy/parse.ts';
import { printRule } from '../../egress/policy/rule.ts';
import { checkPlace } from '../../secrets/bindings/place.ts';
import { bind, listBindings, unbind } from '../../secrets/bindings/store.ts';
import { listLeases } from '../../secrets/leases/store.ts';
import { isOwnKey } from '../../secrets/open.ts';
import { notRedactable } from '../../secrets/redactable.ts';
import { getProject } from '../../tasks/projects.ts';
import { actorOf } from '../authentication.ts';
import { Id, Limit, Switch } from '../parameters.ts';
import type { Routes } from '../server.ts';

const tags = ['secrets'];

export const secretBindingRoutes: Routes = (app, { db, secrets }) => {
  app.get(
    '/secret-bindings',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Where secrets may go',
        querystring: z.object({ project: Name.optional() }),
        response: { 200: z.array(SecretBinding) },
      },
    },
    async ({ query: { project } }) =>
      await listBindings(db, project === undefined ? null : (await getProject(db, project)).id),
  );
  app.post(
    '/secret-bindings',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Let a secret go to a host: runs hold a placeholder, which the egress proxy swaps there',
        body: SecretBind,
        response: { 200: SecretBinding },
      },
    },
    async (request) => {
      const { secret, project, place, variable, ...where } = request.body;
      checkPlace(place);
      if (isOwnKey(secret)) throw unfit(secret, 'it is a key of Autocode itself');
      const kept = await secrets.get(secret);
      if (kept === undefined)
        throw new AutocodeError('ERR_NOT_FOUND', `There is no secret ${secret}.`, {
          remedy: `Put it there first: autocode secret set ${secret}`,
        });
      const odd = notRedactable(kept.value);
      if (odd !== null) throw unfit(secret, odd);
      const of = project === undefined ? null : (await getProject(db, project)).id;
      const binding = { secret, project: of, ...ruleOf(where), place, variable };
      return await transaction(db, async (tx) => await bind(tx, binding, actorOf(request)));
    },
  );
  app.delete(
    '/secret-bindings/:binding',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Remove a binding: runs have the secret no more',
        params: z.object({ binding: Id }),
        response: { 200: SecretBinding },
      },
    },
    async (request) =>
      await transaction(db, async (tx) => await unbind(tx, request.params.binding, actorOf(request))),
  );
  app.get(
    '/secret-leases',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Which runs have which secrets lent',
        querystring: z.object({
          run: RunId.optional(),
          all: Switch.meta({ description: 'Those that have ended too.' }),
          limit: Limit,
        }),
        response: { 200: z.array(SecretLease) },
      },
    },
    async ({ query }) => await listLeases(db, query),
  );
};

/** The requests as a rule; ERR_INVALID_INPUT where they are none. */
function ruleOf({ host, methods, path }: Pick<SecretBind, 'host' | 'methods' | 'path'>) {
  const plain = /^http:\/\//i.test(host);
  const words = [
    'allow',
    ...(methods === undefined ? [] : [`method=${methods.join(',')}`]),
    `host=${host.replace(/^https?:\/\//i, '').replace(/\/$/, '')}`,
    ...(path === undefined ? [] : [`path=${path}`]),
  ];
  const [rule, ...others] = requireRules(words.join(' '), new Map());
  if (rule === undefined || others.length > 0 || rule.project !== null || rule.host === '**')
    throw new AutocodeError('ERR_INVALID_INPUT', 'A binding is for one host, or for the names below one.', {
      remedy: 'Name it, as registry.npmjs.org or **.corp.example.',
    });
  return { rule: printRule(rule), plain };
}

function unfit(secret: string, why: string): AutocodeError {
  return new AutocodeError('ERR_INVALID_INPUT', `The secret ${secret} cannot be bound: ${why}.`, {
    remedy: 'What is lent is watched for by its value: bind a key that a machine has made.',
  });
}
