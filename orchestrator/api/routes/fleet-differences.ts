// /fleet/reconciliations: what differs between the orchestrator's records and Nomad, mended or only shown.
import { z } from 'zod';
import { FleetDifference, ReconcileInput } from '../../../protocol/fleet-difference.ts';
import type { Routes } from '../server.ts';

export const fleetDifferenceRoutes: Routes = (app, { db, fleet }) => {
  app.post(
    '/fleet/reconciliations',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['fleet'],
        summary: 'Compare workers, runs and dispatches with Nomad, and mend what differs',
        description: 'It looks twice, a second apart. Without Nomad nothing differs.',
        body: ReconcileInput,
        response: { 200: z.array(FleetDifference) },
      },
    },
    async (request) => {
      if (fleet === undefined) return [];
      const { reconcileFleet } = await import('../../placement/reconcile.ts');
      return await reconcileFleet(db, fleet, request.body.dryRun);
    },
  );
};
