// /git/<repository>.git/*: smart HTTP for runners. Bodies are streamed through, never parsed.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { parseRunId } from '../../../protocol/ids.ts';
import { runWorksOn } from '../../tasks/queries.ts';
import { Id } from '../parameters.ts';
import type { Routes } from '../server.ts';

const Params = z.object({ repository: Id });

export const gitRoutes: Routes = (app, { db, repositories }) => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.route({
    method: ['GET', 'POST'],
    url: '/git/:repository.git/*',
    config: { access: 'run', rateLimit: false, streamsBody: true },
    schema: { hide: true, params: Params },
    handler: async (request, reply) => {
      const run = request.identity?.run;
      if (typeof run !== 'string') throw new AutocodeError('ERR_FORBIDDEN', 'Only runs use the mirror.');
      const { repository } = request.params as z.infer<typeof Params>;
      if (!(await runWorksOn(db, run, repository)))
        throw new AutocodeError('ERR_FORBIDDEN', `Run ${run} does not work on repository ${repository}.`);
      reply.hijack();
      await repositories.git(request.raw, reply.raw, { run, fence: parseRunId(run).fence, repository });
    },
  });
};
