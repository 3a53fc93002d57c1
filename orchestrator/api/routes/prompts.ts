// /runs/:run/prompts: what a run asked and was answered, where its project keeps that. For admins; reading one leaves an event.
import { z } from 'zod';
import { RunId } from '../../../protocol/ids.ts';
import { KeptPrompt, ModelCall } from '../../../protocol/model.ts';
import { listPrompts, readPrompt } from '../../prompts/read.ts';
import { getRun } from '../../tasks/queries.ts';
import { Id } from '../parameters.ts';
import type { Routes } from '../server.ts';

const tags = ['runs'];

export const promptRoutes: Routes = (app, { db, prompts }) => {
  app.get(
    '/runs/:run/prompts',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Model calls of the run whose prompts are kept, oldest first',
        params: z.object({ run: RunId }),
        response: { 200: z.array(ModelCall) },
      },
    },
    async (request) => {
      await getRun(db, request.params.run);
      return await listPrompts(db, prompts, request.params.run);
    },
  );
  app.get(
    '/runs/:run/prompts/:call',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'The prompt and the answer of one model call; that it was read is an event',
        params: z.object({ run: RunId, call: Id }),
        response: { 200: KeptPrompt },
      },
    },
    async (request) => {
      const { run, call } = request.params;
      await getRun(db, run);
      return await readPrompt(db, prompts, { run, call, by: request.identity!.name });
    },
  );
};
