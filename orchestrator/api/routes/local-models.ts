// /local-models: the models that the appliance runs itself, what is asked of them, and why they are as they are.
import { open } from 'node:fs/promises';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import {
  EngineLog,
  LocalModelStatus,
  LocalModelName,
  ModelAction,
  ModelCommand,
  ModelDecision,
} from '../../../protocol/local-model.ts';
import { unknownModel } from '../../models/supervisor/admission.ts';
import { createCommand, getCommand } from '../../models/supervisor/commands.ts';
import { listDecisions } from '../../models/supervisor/decisions.ts';
import { listLocalModels, logOf } from '../../models/supervisor/members.ts';
import { actorOf } from '../authentication.ts';
import { Id, Limit, number } from '../parameters.ts';
import type { Routes } from '../server.ts';

const tags = ['models'];
const params = z.object({ model: LocalModelName });
/** What a log is read of at most from its end. */
const TAIL_BYTES = 256 * 1024;

export const localModelRoutes: Routes = (app, { db, config }) => {
  const isOn = config.models.local !== undefined;
  /** The model, or the refusal of a name that is not in the catalogue. */
  const find = async (request: FastifyRequest<{ Params: { model: string } }>) => {
    const { model } = request.params;
    const [found] = isOn ? await listLocalModels(db, model) : [];
    if (found !== undefined) return found;
    throw unknownModel(model, isOn ? (await listLocalModels(db)).map(({ name }) => name) : []);
  };

  app.get(
    '/local-models',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The models that the appliance runs itself; none when models.local is not configured',
        response: { 200: z.array(LocalModelStatus) },
      },
    },
    async () => (isOn ? await listLocalModels(db) : []),
  );
  app.get(
    '/local-models/:model',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'One of them', params, response: { 200: LocalModelStatus } },
    },
    async (request) => await find(request),
  );
  app.get(
    '/local-models/:model/decisions',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'What was decided about it and why, newest first',
        params,
        querystring: z.object({ limit: Limit }),
        response: { 200: z.array(ModelDecision) },
      },
    },
    async (request) => {
      const { name } = await find(request);
      return await listDecisions(db, name, request.query.limit);
    },
  );
  app.get(
    '/local-models/:model/log',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The log of its engine, from a byte on or the end of it',
        params,
        querystring: z.object({ from: number(z.int().min(0)).optional() }),
        response: { 200: EngineLog },
      },
    },
    async (request) => {
      const { name } = await find(request);
      return await tail(name, await logOf(db, name), request.query.from);
    },
  );
  app.post(
    '/local-models/:model/commands',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Load, unload, put to sleep or wake it; followed under /model-commands/{id}',
        params,
        body: z.strictObject({ action: ModelAction }),
        response: { 202: ModelCommand },
      },
    },
    async (request, reply) => {
      const { name } = await find(request);
      const command = { model: name, action: request.body.action, actor: actorOf(request) };
      return reply.code(202).send(await createCommand(db, command));
    },
  );
  app.get(
    '/model-commands/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'How far a command is',
        params: z.object({ id: Id }),
        response: { 200: ModelCommand },
      },
    },
    async (request) => await getCommand(db, request.params.id),
  );
};

/** The log from a byte on; without one, and where that is not there any more, the last part of it. */
async function tail(model: string, file: string | null, from?: number): Promise<EngineLog> {
  if (file === null)
    throw new AutocodeError(
      'ERR_NOT_FOUND',
      `There is no log of ${model}: no engine of it was started on this machine.`,
      {
        remedy: `\`autocode model why ${model}\` tells what was decided about it.`,
      },
    );
  try {
    await using log = await open(file);
    const { size } = await log.stat();
    const last = Math.max(0, size - TAIL_BYTES);
    const begin = from === undefined || from > size ? last : Math.max(from, last);
    const bytes = Buffer.alloc(size - begin);
    await log.read(bytes, 0, bytes.length, begin);
    return { text: bytes.toString('utf8'), end: size };
  } catch (cause) {
    throw new AutocodeError('ERR_NOT_FOUND', `The log ${file} of ${model} cannot be read.`, {
      remedy: 'It is on the machine of the gateway, until it is cleared away.',
      cause,
    });
  }
}
