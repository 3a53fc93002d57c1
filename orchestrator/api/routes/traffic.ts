// /traffic: what runs have asked for outside, by the records of the egress proxy.
import path from 'node:path';
import { z } from 'zod';
import { Name, RunId, Timestamp } from '../../../protocol/ids.ts';
import {
  Refusal,
  TRAFFIC_BUCKETS,
  TRAFFIC_GROUPS,
  TRAFFIC_SUMS,
  TrafficDecision,
  TrafficPage,
  TrafficReport,
  TrafficSource,
  TrafficTimeline,
} from '../../../protocol/traffic.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Search } from '../../egress/audit/client.ts';
import { egressPlaces } from '../../egress/places.ts';
import { refusalsOf } from '../../egress/traffic/refusals.ts';
import { reportTraffic, searchTraffic } from '../../egress/traffic/search.ts';
import { timelineOf } from '../../egress/traffic/timeline.ts';
import { getRun } from '../../tasks/queries.ts';
import { Limit, number } from '../parameters.ts';
import type { Routes } from '../server.ts';

/** As records have it, so that texts compare as times do. */
const Time = Timestamp.transform((at) => new Date(at).toISOString());
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
  since: Time.optional().meta({ description: 'From this time on.' }),
  until: Time.optional().meta({ description: 'Before this time.' }),
  bytes: number(z.int().min(0)).optional().meta({ description: 'At least so many, in and out together.' }),
  source: TrafficSource.optional(),
});

export const trafficRoutes: Routes = (app, { db, config, audit }) => {
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
    async ({ query }) => {
      const search = chosen(query.source, audit);
      if (search === null) return await searchTraffic(spool, query);
      const { searchIndexed } = await import('../../egress/audit/questions.ts');
      return await searchIndexed(search, query);
    },
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
    async ({ query }) => {
      const search = chosen(query.source, audit);
      if (search === null) return await reportTraffic(spool, query, query.by);
      const { reportIndexed } = await import('../../egress/audit/questions.ts');
      return await reportIndexed(search, query, query.by);
    },
  );
  app.get(
    '/traffic/timeline',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['egress'],
        summary: 'The same over time: those with the most apart, all others together',
        querystring: Query.extend({
          by: z.enum(TRAFFIC_GROUPS).default('host'),
          bucket: z
            .enum(TRAFFIC_BUCKETS)
            .optional()
            .meta({ description: 'By the length of the time when left out; that is a day when it is, too.' }),
          top: number(z.int().min(1).max(50)).default(7).meta({ description: 'How many are told apart.' }),
          of: z.enum(TRAFFIC_SUMS).default('requests').meta({ description: 'With the most of what.' }),
        }),
        response: { 200: TrafficTimeline },
      },
    },
    async ({ query }) => {
      const search = chosen(query.source, audit);
      if (search === null) return await timelineOf(spool, query);
      const { timelineIndexed } = await import('../../egress/audit/timeline.ts');
      return await timelineIndexed(search, query);
    },
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
      return await refusalsOf({ spool, logs: path.join(config.dataDir, 'logs/worker') }, id, createdAt);
    },
  );
};

/** Elasticsearch, or null for the spool. */
function chosen(source: TrafficSource | undefined, audit: Search | undefined): Search | null {
  if (source === 'elasticsearch' && audit === undefined)
    throw new AutocodeError('ERR_INVALID_INPUT', 'There is no Elasticsearch to look in.', {
      remedy: 'Set egress.audit.url (docs/audit.md), or leave `source` out.',
    });
  return source === 'spool' ? null : (audit ?? null);
}
