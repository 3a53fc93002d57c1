// /settings: the configuration, key by key, changed in the daemon's file; /restart takes up what was changed.
import { AutocodeError } from '../../../protocol/errors.ts';
import { Restart, Settings, SettingsPatch } from '../../../protocol/settings.ts';
import type { ToldSettings } from '../../config/settings.ts';
import type { Routes } from '../server.ts';

const tags = ['system'];

export const settingsRoutes: Routes = (app, { settings, process }) => {
  const whole = (told: ToldSettings): Settings => ({
    ...told,
    restart: process.restart !== undefined,
    startedAt: process.startedAt,
  });
  app.get(
    '/settings',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary:
          'Every key of the configuration: its value, where that is from, what holds from the next start',
        response: { 200: Settings },
      },
    },
    () => whole(settings.describe()),
  );
  app.patch(
    '/settings',
    {
      config: {
        access: 'admin',
        auditTarget: (body) => {
          const { set, unset } = body as SettingsPatch;
          return { set: Object.keys(set).join(' '), unset: unset.join(' ') };
        },
      },
      schema: {
        tags,
        summary: 'Change the configuration file: it is checked as a whole, and every mistake is told at once',
        body: SettingsPatch,
        response: { 200: Settings },
      },
    },
    async (request) => whole(await settings.change(request.body)),
  );
  app.post(
    '/restart',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Start the daemon anew with what the configuration says; runs go on',
        body: Restart,
        response: { 202: Restart },
      },
    },
    async (request, reply) => {
      const { startedAt, restart } = process;
      if (request.body.startedAt !== startedAt)
        throw new AutocodeError('ERR_CONFLICT', `The daemon has started anew at ${startedAt} already.`);
      if (restart === undefined)
        throw new AutocodeError('ERR_STATE', 'This daemon is several processes, each with a role.', {
          remedy: 'Restart each of them on its machine.',
        });
      const [mistake] = settings.describe().mistakes;
      if (mistake !== undefined)
        throw new AutocodeError(
          'ERR_STATE',
          `The daemon would not start: ${mistake.path} ${mistake.message}.`,
          {
            remedy: `Correct it first: ${mistake.where}.`,
          },
        );
      reply.raw.once('close', restart);
      return await reply.code(202).send({ startedAt });
    },
  );
};
