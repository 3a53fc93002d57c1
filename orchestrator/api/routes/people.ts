// /people: who may sign in, what they may do, where they are signed in. For admins.
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Name } from '../../../protocol/ids.ts';
import {
  NewPerson,
  Person,
  PersonInput,
  PersonLink,
  PersonPatch,
  Session,
} from '../../../protocol/person.ts';
import { transaction, type Queryable } from '../../db/connect.ts';
import { makeLink } from '../../people/links.ts';
import { createPerson, getPerson, listPeople, updatePerson } from '../../people/people.ts';
import { endSession, endSessions, listSessions } from '../../people/sessions.ts';
import { actorOf } from '../authentication.ts';
import { Id } from '../parameters.ts';
import { publicUrl } from '../public-url.ts';
import type { Routes } from '../server.ts';

const tags = ['people'];
const params = z.object({ person: Name });
const admin = { access: 'admin' } as const;

export const peopleRoutes: Routes = (app, context) => {
  const { db, config } = context;
  const link = async (tx: Queryable, name: string, request: FastifyRequest): Promise<PersonLink> => {
    const { code, expiresAt } = await makeLink(tx, name, config.signIn.linkHours, actorOf(request));
    // After the #: what a browser sends to no server and no proxy writes into its log.
    const url = `${publicUrl(context, request)}/welcome#${name}/${code}`;
    return { url, expiresAt: expiresAt.toISOString() };
  };
  app.get(
    '/people',
    { config: admin, schema: { tags, summary: 'List people', response: { 200: z.array(Person) } } },
    async () => await listPeople(db),
  );
  app.post(
    '/people',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Make a person; the link to set a password is shown once',
        body: PersonInput,
        response: { 201: NewPerson },
      },
    },
    async (request, reply) => {
      const made = await transaction(db, async (tx) => {
        const person = await createPerson(tx, request.body, actorOf(request));
        return { person, link: await link(tx, person.name, request) };
      });
      return await reply.code(201).send(made);
    },
  );
  app.get(
    '/people/:person',
    { config: admin, schema: { tags, summary: 'Show a person', params, response: { 200: Person } } },
    async (request) => await getPerson(db, request.params.person),
  );
  app.patch(
    '/people/:person',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Change what a person may do; disable or enable',
        params,
        body: PersonPatch,
        response: { 200: Person },
      },
    },
    async (request) => await updatePerson(db, request.params.person, request.body, actorOf(request)),
  );
  app.post(
    '/people/:person/links',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Make a new link to set a password; the one before opens nothing from then on',
        params,
        response: { 201: PersonLink },
      },
    },
    async (request, reply) => reply.code(201).send(await link(db, request.params.person, request)),
  );
  app.delete(
    '/people/:person/sessions',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Sign a person out everywhere',
        params,
        response: { 200: z.object({ ended: z.number().int() }) },
      },
    },
    async (request) => {
      const { id } = await getPerson(db, request.params.person);
      return { ended: await endSessions(db, id, `ended by ${actorOf(request)}`) };
    },
  );
  app.get(
    '/sessions',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Open sessions, the last used first',
        querystring: z.object({ person: Name.optional() }),
        response: { 200: z.array(Session) },
      },
    },
    async (request) => {
      const { person } = request.query;
      return await listSessions(db, config.signIn, {
        person: person === undefined ? undefined : (await getPerson(db, person)).id,
        current: request.identity?.session === undefined ? undefined : request.identity.id,
      });
    },
  );
  app.delete(
    '/sessions/:session',
    {
      config: admin,
      schema: {
        tags,
        summary: 'End a session',
        params: z.object({ session: Id }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await endSession(db, request.params.session, `ended by ${actorOf(request)}`);
      return await reply.code(204).send(null);
    },
  );
};
