// /egress: what has left the appliance, and whose it was.
import { z } from 'zod';
import { Name, RunId, Timestamp } from '../../../protocol/ids.ts';
import { EgressRecord } from '../../../protocol/model.ts';
import { listEgress } from '../../gateway/egress.ts';
import { getProject } from '../../tasks/projects.ts';
import { getRun } from '../../tasks/queries.ts';
import { Limit } from '../parameters.ts';
import type { Routes } from '../server.ts';

export const egressRoutes: Routes = (app, { db }) => {
  app.get(
    '/egress',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['egress'],
        summary: 'Requests that went to engines outside the appliance, newest first',
        querystring: z.object({
          run: RunId.optional(),
          project: Name.optional(),
          since: Timestamp.optional().meta({ description: 'From this time on.' }),
          limit: Limit,
        }),
        response: { 200: z.array(EgressRecord) },
      },
    },
    async (request) => {
      const { run, project } = request.query;
      if (run !== undefined) await getRun(db, run); // tells an unknown one
      if (project !== undefined) await getProject(db, project);
      return await listEgress(db, request.query);
    },
  );
};
