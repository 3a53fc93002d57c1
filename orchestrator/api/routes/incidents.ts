// /incidents: alarms that belong together, who investigates them, what was found; a person's word about one.
import { z } from 'zod';
import {
  Incident,
  IncidentDetails,
  IncidentMerge,
  IncidentResolution,
  IncidentState,
} from '../../../protocol/incident.ts';
import { text } from '../../../protocol/text.ts';
import { mergeIncidents } from '../../incidents/merge.ts';
import { getIncident, listIncidents } from '../../incidents/queries.ts';
import { reopenIncident, resolveIncident } from '../../incidents/word-of-a-person.ts';
import { actorOf, ALLOWED } from '../authentication.ts';
import { Id, Limit } from '../parameters.ts';
import { decideAbout } from '../person-access.ts';
import { projectsOf } from '../project-scope.ts';
import type { Routes } from '../server.ts';

const tags = ['incidents'];
const ByIncident = z.object({ incident: Id });

export const incidentRoutes: Routes = (app, { db }) => {
  app.get(
    '/incidents',
    {
      config: { access: 'viewer', limited: 'filtered' },
      schema: {
        tags,
        summary: 'List incidents, newest first',
        querystring: z.object({
          state: IncidentState.optional(),
          account: text().min(1).max(200).optional(),
          before: Id.optional(),
          limit: Limit,
        }),
        response: { 200: z.array(Incident) },
      },
    },
    async (request) => await listIncidents(db, { ...request.query, projects: projectsOf(request) }),
  );
  app.get(
    '/incidents/:incident',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Show an incident with its alarms and the reports about it',
        params: ByIncident,
        response: { 200: IncidentDetails },
      },
    },
    async (request) => await getIncident(db, request.params.incident, projectsOf(request)),
  );
  app.post(
    '/incidents/:incident/resolve',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Resolve an incident, whatever its alarms say',
        params: ByIncident,
        body: IncidentResolution,
        response: { 200: IncidentDetails },
      },
    },
    async (request) =>
      await resolveIncident(db, request.params.incident, { ...request.body, actor: actorOf(request) }),
  );
  app.post(
    '/incidents/:incident/reopen',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Have an incident investigated again',
        params: ByIncident,
        body: IncidentResolution,
        response: { 200: IncidentDetails },
      },
    },
    async (request) =>
      await reopenIncident(db, request.params.incident, { ...request.body, actor: actorOf(request) }),
  );
  app.post(
    '/incidents/:incident/merge',
    {
      config: {
        access: 'operator',
        auditTarget: (body) => ({ from: (body as IncidentMerge).from.join(' ') }),
      },
      schema: {
        tags,
        summary: 'Merge incidents into this one, which has all that was theirs from then on',
        params: ByIncident,
        body: IncidentMerge,
        response: { 200: IncidentDetails },
      },
    },
    async (request) => {
      const { from, reason } = request.body;
      for (const each of from) await decideAbout(db, request, ALLOWED.operator, 'incident', each);
      return await mergeIncidents(db, request.params.incident, { from, reason, actor: actorOf(request) });
    },
  );
};
