// /scenario: what happened here as a scenario of the scheduler, to be played elsewhere with other settings.
import { z } from 'zod';
import { Scenario } from '../../../protocol/scenario.ts';
import { Timestamp } from '../../../protocol/ids.ts';
import { recordScenario } from '../../simulation/record.ts';
import type { Routes } from '../server.ts';

export const scenarioRoutes: Routes = (app, { db, config }) => {
  app.get(
    '/scenario',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['scheduling'],
        summary: 'What came since a time, as a scenario; names are replaced and texts left out',
        querystring: z.object({ since: Timestamp }),
        response: { 200: Scenario },
      },
    },
    async (request) => await recordScenario(db, config, new Date(request.query.since)),
  );
};
