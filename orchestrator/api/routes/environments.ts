// /environments: root directories with the tools of projects; their archives go in and out as streams.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { ARCHIVE_TYPE, Environment } from '../../../protocol/environment.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Name, RunId } from '../../../protocol/ids.ts';
import { text } from '../../../protocol/text.ts';
import {
  archivePath,
  getEnvironment,
  importEnvironment,
  listEnvironments,
  removeEnvironment,
} from '../../environments/store/store.ts';
import { getRun } from '../../tasks/queries.ts';
import { actorOf } from '../authentication.ts';
import type { Routes } from '../server.ts';

const tags = ['environments'];
const Params = z.object({ environment: Name });
const Archive = { content: { [ARCHIVE_TYPE]: { schema: z.string() } } };

export const environmentRoutes: Routes = (
  app,
  { db, config, environmentsDirectory: directory, stopping },
) => {
  const store = { db, directory, maxBytes: config.environments.maxBytes, stopping };

  async function send(reply: FastifyReply, digest: string): Promise<FastifyReply> {
    const file = archivePath(directory, digest);
    const found = await stat(file).catch(() => null);
    if (found === null)
      throw new AutocodeError(
        'ERR_ENVIRONMENT',
        `The archive ${digest.slice(0, 12)} of the environment is gone.`,
        {
          remedy: 'Import it again: `autocode environment import`.',
        },
      );
    return reply
      .header('content-length', found.size)
      .header('x-environment-digest', digest)
      .type(ARCHIVE_TYPE)
      .send(createReadStream(file));
  }

  app.get(
    '/environments',
    {
      config: { access: 'viewer', limited: 'open' },
      schema: { tags, summary: 'List environments', response: { 200: z.array(Environment) } },
    },
    async () => await listEnvironments(db),
  );
  app.get(
    '/environments/:environment',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Show an environment', params: Params, response: { 200: Environment } },
    },
    async (request) => await getEnvironment(db, request.params.environment),
  );
  app.delete(
    '/environments/:environment',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Take an environment out of use; its archive goes when no run has it any more',
        params: Params,
        response: { 200: Environment },
      },
    },
    async (request) => await removeEnvironment(store, request.params.environment),
  );
  app.get(
    '/environments/:environment/archive',
    {
      config: { access: 'worker', rateLimit: false },
      schema: { tags, summary: 'The archive of an environment', params: Params, response: { 200: Archive } },
    },
    async (request, reply) =>
      await send(reply, (await getEnvironment(db, request.params.environment)).digest),
  );
  app.get(
    '/runs/:run/environment',
    {
      config: { access: 'run' },
      schema: {
        tags,
        summary: 'The archive of the environment that the run was given',
        params: z.object({ run: RunId }),
        response: { 200: Archive },
      },
    },
    async (request, reply) => {
      const { environment } = await getRun(db, request.params.run);
      if (environment === null)
        throw new AutocodeError('ERR_STATE', `Run ${request.params.run} has no environment.`);
      return await send(reply, environment.digest);
    },
  );
  void app.register(async (archives) => {
    archives.removeAllContentTypeParsers();
    archives.addContentTypeParser(ARCHIVE_TYPE, (_request, payload, done) => done(null, payload));
    archives.post(
      '/environments/:environment',
      {
        config: { access: 'admin', streamsBody: true },
        bodyLimit: Number.MAX_SAFE_INTEGER,
        schema: {
          tags,
          summary: `Take an archive in as the newest version of an environment (${ARCHIVE_TYPE})`,
          description:
            'A tar, compressed with zstd: `environment.json` first, then all of the root directory below `root/`, parents first.',
          params: Params,
          querystring: z.object({ source: text().min(1).max(1000).optional() }),
          response: { 201: Environment },
        },
      },
      async (request, reply) => {
        const { environment: name } = request.params as { environment: string };
        const { source = 'an upload' } = request.query as { source?: string };
        if (!(request.body instanceof Readable))
          throw new AutocodeError('ERR_INVALID_INPUT', 'No archive came with the request.', {
            remedy: `Send one as ${ARCHIVE_TYPE}; \`autocode environment import\` makes it.`,
          });
        const added = await importEnvironment(store, { name, source, actor: actorOf(request) }, request.body);
        return await reply.code(201).send(added);
      },
    );
  });
};
