// /secrets: values go in and never come out.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Name } from '../../../protocol/ids.ts';
import { Secret, SecretInput } from '../../../protocol/secret.ts';
import type { SecretVersion } from '../../secrets/secret-manager.ts';
import type { Routes } from '../server.ts';

const Params = z.object({ secret: Name });
const tags = ['secrets'];
/** Autocode's own: run tokens are derived from it. */
const OWN = 'server-key';

export const secretRoutes: Routes = (app, { secrets }) => {
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
        response: { 200: Secret },
      },
    },
    async (request) => {
      const { secret: name } = request.params;
      refuseOwn(name);
      const { value, expectedVersion } = request.body;
      await secrets.put(name, value, expectedVersion === undefined ? {} : { expectedVersion });
      return shown((await secrets.history(name))[0]!);
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
      if (newest === undefined || !(await secrets.delete(name))) {
        throw new AutocodeError('ERR_NOT_FOUND', `There is no secret ${name}.`, {
          remedy: 'See `autocode secret list`.',
        });
      }
      return shown(newest);
    },
  );
};

function refuseOwn(name: string): void {
  if (name !== OWN) return;
  throw new AutocodeError(
    'ERR_FORBIDDEN',
    `${OWN} is Autocode's own: the tokens of live runs are derived from it.`,
    { remedy: 'Choose another name.' },
  );
}

function shown({ name, version, createdAt }: SecretVersion): Secret {
  return { name, version, createdAt: createdAt.toISOString() };
}
