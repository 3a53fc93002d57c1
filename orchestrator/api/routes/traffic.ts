// /traffic: what runs have asked for outside, by the records of the egress proxy.
import { z } from 'zod';
import { Name, RunId, Timestamp } from '../../../protocol/ids.ts';
import {
  Refusal,
  TRAFFIC_GROUPS,
  TrafficDecision,
  TrafficPage,
  TrafficReport,
} from '../../../protocol/traffic.ts';
import { egressPlaces } from '../../egress/places.ts';
import { refusalsOf, reportTraffic, searchTraffic } from '../../egress/traffic/search.ts';
import { getRun } from '../../tasks/queries.ts';
import { Limit, number } from '../parameters.ts';
import type { Routes } from '../server.ts';

const Query = z.object({
  run: RunId.optional(),
  project: Name.optional(),
  worker: Name.optional(),
  host: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta({ description: 'A host, or `*.example.com` for all below.' }),
  decision: TrafficDecision.optional(),
  text: z.string().min(1).max(500).optional().meta({ description: 'Words in the address.' }),
  since: Timestamp.optional().meta({ description: 'From this time on.' }),
  until: Timestamp.optional().meta({ description: 'Before this time.' }),
  bytes: number(z.int().min(0)).optional().meta({ description: 'At least so many, in and out together.' }),
});

export const trafficRoutes: Routes = (app, { db, config }) => {
  const { spool } = egressPlaces(config.dataDir);
  app.get(
    '/traffic',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['egress'],
        summary: 'Requests of runs to the outside, allowed or not, the last first',
        querystring: Query.extend({
          before: z.string().max(100).optional().meta({ description: 'Id of the last of the page before.' }),
          limit: Limit,
        }),
        response: { 200: TrafficPage },
      },
    },
    async (request) => await searchTraffic(spool, request.query),
  );
  app.get(
    '/traffic/report',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['egress'],
        summary: 'The same summed up, who sent most first',
        querystring: Query.extend({ by: z.enum(TRAFFIC_GROUPS).default('host') }),
        response: { 200: TrafficReport },
      },
    },
    async (request) => await reportTraffic(spool, request.query, request.query.by),
  );
  app.get(
    '/runs/:run/refusals',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['runs'],
        summary: 'What a run asked for outside and the egress policy did not allow',
        params: z.object({ run: RunId }),
        response: { 200: z.array(Refusal) },
      },
    },
    async (request) => {
      const { id, createdAt } = await getRun(db, request.params.run);
      return await refusalsOf(spool, id, createdAt);
    },
  );
};
