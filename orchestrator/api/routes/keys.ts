// /keys: keys of people and services for the gateway. /projects/{project}/models: what its agents may ask models for.
import { z } from 'zod';
import { Key, KeyInput, NewKey } from '../../../protocol/access.ts';
import { Name } from '../../../protocol/ids.ts';
import { ModelPolicy, ModelPolicyPatch } from '../../../protocol/model.ts';
import { createKey, listKeys, revokeKey } from '../../access/keys.ts';
import { checkModels, getPolicy, updatePolicy } from '../../models/policy.ts';
import { Id } from '../parameters.ts';
import type { Routes } from '../server.ts';

const tags = ['gateway'];
const params = z.object({ project: Name });

export const keyRoutes: Routes = (app, { db, models }) => {
  app.get(
    '/keys',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'List keys for the gateway (never their text)',
        response: { 200: z.array(Key) },
      },
    },
    async () => await listKeys(db),
  );
  app.post(
    '/keys',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Make a key for the gateway; its text is shown once',
        body: KeyInput,
        response: { 201: NewKey },
      },
    },
    async (request, reply) => {
      checkModels({ list: models }, request.body.models);
      return reply.code(201).send(await createKey(db, request.body));
    },
  );
  app.delete(
    '/keys/:id',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'Revoke a key', params: z.object({ id: Id }), response: { 200: Key } },
    },
    async (request) => await revokeKey(db, request.params.id),
  );
  app.get(
    '/projects/:project/models',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'What the agents of a project may ask models for',
        params,
        response: { 200: ModelPolicy },
      },
    },
    async (request) => await getPolicy(db, request.params.project),
  );
  app.patch(
    '/projects/:project/models',
    {
      config: { access: 'operator', limited: 'closed' },
      schema: {
        tags,
        summary: 'Change what the agents of a project may ask models for',
        params,
        body: ModelPolicyPatch,
        response: { 200: ModelPolicy },
      },
    },
    async (request) => await updatePolicy(db, { list: models }, request.params.project, request.body),
  );
};
