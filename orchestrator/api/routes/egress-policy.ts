// /egress-policy: which requests of runs may leave; what it says of one; what would be proposed for a project.
import { z } from 'zod';
import {
  EgressPolicy,
  EgressPolicyChange,
  EgressPolicyUpdate,
  EgressPolicyVersion,
  EgressPreset,
  EgressProposal,
  EgressRecording,
  EgressRehearsal,
  EgressRehearsalInput,
  EgressTest,
  EgressVerdict,
} from '../../../protocol/egress.ts';
import { Name, Timestamp } from '../../../protocol/ids.ts';
import { transaction } from '../../db/connect.ts';
import { egressPlaces } from '../../egress/places.ts';
import { policyVersions } from '../../egress/policy/history.ts';
import { propose } from '../../egress/policy/learn.ts';
import { readPresets } from '../../egress/policy/presets.ts';
import { rehearse } from '../../egress/policy/rehearse.ts';
import { printRule } from '../../egress/policy/rule.ts';
import { effectivePolicy, readPolicy, setPolicy, setRecording } from '../../egress/policy/store.ts';
import { tryRequest } from '../../egress/policy/try.ts';
import { searchTraffic } from '../../egress/traffic/search.ts';
import { getProject } from '../../tasks/projects.ts';
import { actorOf } from '../authentication.ts';
import { number } from '../parameters.ts';
import type { Routes } from '../server.ts';

const tags = ['egress'];
const MOST_RECORDS = 100_000;
const MOST_REHEARSED = 20_000;

export const egressPolicyRoutes: Routes = (app, { db, config }) => {
  const presets = readPresets();
  const { spool } = egressPlaces(config.dataDir);
  const recordsSince = async (since: string, project: string | null, limit: number) =>
    await searchTraffic(spool, {
      ...(project === null ? {} : { project }),
      since: new Date(since).toISOString(),
      limit,
    });
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
  app.get(
    '/egress-policy/versions',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Versions of the policy of the installation or of a project, the newest first',
        querystring: z.object({
          project: Name.optional(),
          before: number(z.int().positive()).optional(),
          limit: number(z.int().min(1).max(50)).default(20),
        }),
        response: { 200: z.array(EgressPolicyVersion) },
      },
    },
    async ({ query: { project = null, ...page } }) => await policyVersions(db, presets, project, page),
  );
  app.get(
    '/egress-presets',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The presets that a policy may name, with their rules',
        response: { 200: z.array(EgressPreset) },
      },
    },
    () => [...presets].map(([name, rules]) => ({ name, rules: rules.map(printRule) })),
  );
  app.post(
    '/egress-policy/rehearsals',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'What another text would change, for requests that runs made too; nothing is set',
        body: EgressRehearsalInput,
        response: { 200: EgressRehearsal },
      },
    },
    async (request) => {
      const { project = null, text, since } = request.body;
      const name = project === null ? null : (await getProject(db, project)).name;
      const change = await transaction(
        db,
        async (tx) => await setPolicy(tx, presets, project, { text, dryRun: true }, actorOf(request)),
      );
      const { records, complete } = await recordsSince(since, name, MOST_REHEARSED);
      const before = await effectivePolicy(db, presets);
      const after = await effectivePolicy(db, presets, { project: name, text });
      const all = complete && records.length < MOST_REHEARSED;
      return { ...change, ...rehearse(records, before, after), complete: all };
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
      const { records } = await recordsSince(request.query.since, project, MOST_RECORDS);
      return propose(records, await effectivePolicy(db, presets), project);
    },
  );
};
