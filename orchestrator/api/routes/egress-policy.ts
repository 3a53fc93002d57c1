// /egress-policy: which requests of runs may leave; what it says of one; what would be proposed for a project.
import { z } from 'zod';
import {
  EgressPolicy,
  EgressPolicyChange,
  EgressPolicyUpdate,
  EgressProposal,
  EgressRecording,
  EgressTest,
  EgressVerdict,
} from '../../../protocol/egress.ts';
import { Name, Timestamp } from '../../../protocol/ids.ts';
import { transaction } from '../../db/connect.ts';
import { egressPlaces } from '../../egress/places.ts';
import { propose } from '../../egress/policy/learn.ts';
import { readPresets } from '../../egress/policy/presets.ts';
import { effectivePolicy, readPolicy, setPolicy, setRecording } from '../../egress/policy/store.ts';
import { tryRequest } from '../../egress/policy/try.ts';
import { searchTraffic } from '../../egress/traffic/search.ts';
import { getProject } from '../../tasks/projects.ts';
import { actorOf } from '../authentication.ts';
import type { Routes } from '../server.ts';

const tags = ['egress'];
const MOST_RECORDS = 100_000;

export const egressPolicyRoutes: Routes = (app, { db, config }) => {
  const presets = readPresets();
  app.get(
    '/egress-policy',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The egress policy of the installation, or of a project',
        querystring: z.object({ project: Name.optional() }),
        response: { 200: EgressPolicy },
      },
    },
    async (request) => await readPolicy(db, presets, request.query.project ?? null),
  );
  app.put(
    '/egress-policy',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Set the egress policy of the installation or of a project, or tell what that would change',
        body: EgressPolicyUpdate,
        response: { 200: EgressPolicyChange },
      },
    },
    async (request) => {
      const { project = null, ...update } = request.body;
      const author = actorOf(request);
      return await transaction(db, async (tx) => await setPolicy(tx, presets, project, update, author));
    },
  );
  app.post(
    '/egress-policy/tests',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'What the policy says of a request; nothing is looked up or sent',
        body: EgressTest,
        response: { 200: EgressVerdict },
      },
    },
    async (request) => {
      const { project, ...test } = request.body;
      const of = project === undefined ? {} : { project: (await getProject(db, project)).name };
      return tryRequest(await effectivePolicy(db, presets), { ...test, ...of });
    },
  );
  app.put(
    '/egress-policy/recording',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Let a project reach all of the internet for a while, to learn what it needs; or end that',
        body: EgressRecording,
        response: { 200: z.object({ until: Timestamp.nullable() }) },
      },
    },
    async (request) => {
      const { project, hours } = request.body;
      const author = actorOf(request);
      return await transaction(db, async (tx) => await setRecording(tx, project, hours, author));
    },
  );
  app.get(
    '/egress-policy/proposal',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Rules for what a project was refused, or did in record mode',
        querystring: z.object({
          project: Name,
          since: Timestamp.meta({ description: 'From records of this time on.' }),
        }),
        response: { 200: EgressProposal },
      },
    },
    async (request) => {
      const { name: project } = await getProject(db, request.query.project);
      const query = { project, since: new Date(request.query.since).toISOString(), limit: MOST_RECORDS };
      const { records } = await searchTraffic(egressPlaces(config.dataDir).spool, query);
      return propose(records, await effectivePolicy(db, presets), project);
    },
  );
};
