// /secrets: values go in; one route, for admins, shows one and leaves an event.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { RevealedSecret, Secret, SecretInput, SecretName, SecretWritten } from '../../../protocol/secret.ts';
import { emit } from '../../events/outbox.ts';
import { announceWritten } from '../../secrets/leases/store.ts';
import { isOwnKey } from '../../secrets/open.ts';
import { notRedactable } from '../../secrets/redactable.ts';
import type { SecretVersion } from '../../secrets/secret-manager.ts';
import type { Routes } from '../server.ts';

const Params = z.object({ secret: SecretName });
const tags = ['secrets'];
/** Autocode's own: run tokens are derived from it. */
const OWN = 'server-key';

export const secretRoutes: Routes = (app, { db, secrets }) => {
  app.get(
    '/secrets',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'List secrets, without their values', response: { 200: z.array(Secret) } },
    },
    async () => (await secrets.list()).map(shown),
  );
  app.put(
    '/secrets/:secret',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Write a new version of a secret',
        params: Params,
        body: SecretInput,
        response: { 200: SecretWritten },
      },
    },
    async (request) => {
      const { secret: name } = request.params;
      refuseOwn(name);
      const { value, expectedVersion } = request.body;
      await secrets.put(name, value, expectedVersion === undefined ? {} : { expectedVersion });
      await announceWritten(db, name);
      return { ...shown((await secrets.history(name))[0]!), notice: notRedactable(value) };
    },
  );
  app.get(
    '/secrets/:secret/history',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'The versions of a secret, the newest first, without their values',
        params: Params,
        response: { 200: z.array(Secret) },
      },
    },
    async (request) => {
      const versions = await secrets.history(request.params.secret);
      if (versions.length === 0) throw unknown(request.params.secret);
      return versions.map(shown);
    },
  );
  app.post(
    '/secrets/:secret/reveal',
    {
      config: { access: 'admin', showsSecret: true },
      schema: {
        tags,
        summary: 'The value of a secret; that it was shown, and to whom, is an event',
        params: Params,
        response: { 200: RevealedSecret },
      },
    },
    async (request) => {
      const { secret: name } = request.params;
      if (isOwnKey(name)) throw own(name);
      const secret = await secrets.get(name);
      if (secret === undefined) throw unknown(name);
      const { version } = secret;
      await emit(db, { kind: 'secret.revealed', data: { name, version, by: request.identity!.name } });
      return { name, ...secret };
    },
  );
  app.delete(
    '/secrets/:secret',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Remove a secret with all its versions',
        params: Params,
        response: { 200: Secret },
      },
    },
    async (request) => {
      const { secret: name } = request.params;
      refuseOwn(name);
      const [newest] = await secrets.history(name);
      if (newest === undefined || !(await secrets.delete(name))) throw unknown(name);
      await announceWritten(db, name);
      return shown(newest);
    },
  );
};

function refuseOwn(name: string): void {
  if (name === OWN) throw own(name);
}

function own(name: string): AutocodeError {
  return new AutocodeError(
    'ERR_FORBIDDEN',
    `${name} is Autocode's own: others are derived from it, or sealed with it.`,
    {
      remedy: 'Choose another name.',
    },
  );
}

function unknown(name: string): AutocodeError {
  return new AutocodeError('ERR_NOT_FOUND', `There is no secret ${name}.`, {
    remedy: 'See `autocode secret list`.',
  });
}

function shown({ name, version, createdAt }: SecretVersion): Secret {
  return { name, version, createdAt: createdAt.toISOString() };
}
