// What a run's own runner sends, with the run's token; every call carries the fence.
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Fence, RunId } from '../../../protocol/ids.ts';
import { DeliveryAnswer, DeliveryInput } from '../../../protocol/message.ts';
import { LogAck, LogStream } from '../../../protocol/log.ts';
import {
  BaseAnswer,
  FinishInput,
  HeartbeatAnswer,
  HeartbeatInput,
  ProgressInput,
  Run,
  SignalsAnswer,
} from '../../../protocol/run.ts';
import { environmentOfRun } from '../../environments/of-run.ts';
import { finishRun } from '../../tasks/finish.ts';
import { heartbeat, progress, signals } from '../../tasks/lease.ts';
import { noteDelivery } from '../../tasks/messages.ts';
import { getRun } from '../../tasks/queries.ts';
import { untilNotified } from '../long-poll.ts';
import { number } from '../parameters.ts';
import type { Routes } from '../server.ts';
import { streamState, type LogStore } from '../../workers/log-store.ts';
import type { Queryable } from '../../db/connect.ts';

const Params = z.object({ run: RunId });
/** A batch holds 64 KiB; room for a later, larger one, none for a bomb. */
const LONGEST_BATCH = 1024 * 1024;

export const runnerRoutes: Routes = (app, context) => {
  const { db, config, logs, repositories } = context;
  const tags = ['runner'];
  app.post(
    '/runs/:run/base',
    {
      config: { access: 'run' },
      schema: {
        tags,
        summary: 'Fetch the base and make the ref of the run',
        params: Params,
        body: HeartbeatInput.pick({ fence: true }),
        response: { 200: BaseAnswer },
      },
    },
    async (request) => {
      const { run } = request.params;
      const answer = await repositories.prepareBase(run, request.body.fence);
      const environment = await environmentOfRun(db, run, config.environments.map);
      return environment === undefined ? answer : { ...answer, environment };
    },
  );
  app.post(
    '/runs/:run/heartbeat',
    {
      config: { access: 'run' },
      schema: {
        tags,
        summary: 'Keep the lease, and tell what the sandboxes use',
        params: Params,
        body: HeartbeatInput,
        response: { 200: HeartbeatAnswer },
      },
    },
    async ({ params, body }) => await heartbeat(db, params.run, body.fence, config.lease, body.sandboxUsage),
  );
  app.post(
    '/runs/:run/progress',
    {
      config: { access: 'run' },
      schema: {
        tags,
        summary: 'Announce state, plan and iterations',
        params: Params,
        body: ProgressInput,
        response: { 200: Run },
      },
    },
    async (request) => {
      await progress(db, request.params.run, request.body);
      return await getRun(db, request.params.run);
    },
  );
  app.get(
    '/runs/:run/signals',
    {
      config: { access: 'run' },
      schema: {
        tags,
        summary: 'Wait for something the runner must do',
        params: Params,
        querystring: z.object({
          fence: number(Fence),
          waitSeconds: number(z.int().min(0).max(60)).default(25),
          after: number(z.int().min(0)).optional().meta({
            description: 'Number of the last message that the runner has; left out, none are answered.',
          }),
        }),
        response: { 200: SignalsAnswer },
      },
    },
    async (request) => {
      const { run } = request.params;
      const ask = async () => await signals(db, run, request.query.fence, request.query.after);
      return await untilNotified(
        context,
        { channel: 'run', payload: run, seconds: request.query.waitSeconds, closed: request.raw },
        ask,
        (answer) => answer.cancel || answer.messages.length > 0,
      );
    },
  );
  app.post(
    '/runs/:run/messages',
    {
      config: { access: 'run' },
      schema: {
        tags,
        summary: 'Acknowledge messages that the agent was given, and get those after them',
        params: Params,
        body: DeliveryInput,
        response: { 200: DeliveryAnswer },
      },
    },
    async (request) => ({ messages: await noteDelivery(db, request.params.run, request.body) }),
  );
  app.post(
    '/runs/:run/finish',
    {
      config: { access: 'run' },
      schema: {
        tags,
        summary: 'Report the end of the run',
        params: Params,
        body: FinishInput,
        response: { 200: Run },
      },
    },
    async (request) => {
      const ends = await checkDigests(db, logs, request.params.run, request.body.logs);
      return await finishRun(db, request.params.run, { ...request.body, logs: ends }, config.limits);
    },
  );
  void app.register(async (bytes) => {
    bytes.removeAllContentTypeParsers();
    bytes.addContentTypeParser(
      'application/octet-stream',
      { parseAs: 'buffer', bodyLimit: LONGEST_BATCH },
      (_request, body, done) => done(null, body),
    );
    bytes.post(
      '/runs/:run/logs/:stream',
      {
        config: { access: 'run', rateLimit: false },
        schema: {
          tags,
          summary: 'Append a batch of bytes to a stream (application/octet-stream, may be gzip)',
          params: Params.extend({ stream: LogStream }),
          querystring: z.object({ offset: number(z.int().min(0)), fence: number(Fence) }),
          response: { 200: LogAck },
        },
      },
      async (request) => {
        const { run, stream } = request.params as { run: string; stream: string };
        const { offset, fence } = request.query as { offset: number; fence: number };
        return await logs.append(db, {
          run,
          fence,
          stream,
          offset,
          bytes: plainBytes(request.body, request.headers['content-encoding']),
        });
      },
    );
  });
};

function plainBytes(body: unknown, encoding: string | undefined): Buffer {
  if (!Buffer.isBuffer(body))
    throw new AutocodeError('ERR_INVALID_INPUT', 'The batch has no bytes.', {
      remedy: 'Send them as application/octet-stream.',
    });
  if (encoding !== 'gzip') return body;
  try {
    return gunzipSync(body, { maxOutputLength: LONGEST_BATCH }); // a fraction of a millisecond; a thread's way takes longer
  } catch (cause) {
    throw new AutocodeError('ERR_INVALID_INPUT', `The batch is not gzip of at most ${LONGEST_BATCH} bytes.`, {
      cause,
    });
  }
}

/**
 * What was stored must be what the runner wrote: a different digest is refused before the run ends. Where secrets were masked it
 * cannot be the same: there the digest of what is kept takes its place.
 */
async function checkDigests(
  db: Queryable,
  logs: LogStore,
  run: string,
  ends: FinishInput['logs'],
): Promise<FinishInput['logs']> {
  const checked = { ...ends };
  for (const [stream, end] of Object.entries(ends)) {
    const have = await streamState(db, run, stream);
    if (have?.bytes !== end.bytes || have.state === 'complete') continue; // missing bytes are told by finishRun
    const stored = end.bytes === 0 ? end.sha256 : await logs.digest(run, stream, end.bytes);
    checked[stream] = { ...end, sha256: stored };
    if (stored === end.sha256 || have.redacted > 0) continue;
    throw new AutocodeError(
      'ERR_CONFLICT',
      `Stream ${stream} of run ${run} has the digest ${stored}, not ${end.sha256}.`,
      {
        remedy: 'The log was damaged on its way or on disk; the run cannot end as reported.',
      },
    );
  }
  return checked;
}
