// /settings: the configuration, key by key, changed in the daemon's file; what is changed holds from the next start.
import { Settings, SettingsPatch } from '../../../protocol/settings.ts';
import type { Routes } from '../server.ts';

const tags = ['system'];

export const settingsRoutes: Routes = (app, { settings }) => {
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
    () => settings.describe(),
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
    async (request) => await settings.change(request.body),
  );
};
