// /runs/{run}/logs/{stream}: the bytes of a log, whole or as they come.
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { RunId } from '../../../protocol/ids.ts';
import { LogStream } from '../../../protocol/log.ts';
import { followLog } from '../../workers/follow-log.ts';
import { streamState, type LogPiece } from '../../workers/log-store.ts';
import { sendEventStream, wantsEventStream } from '../event-stream.ts';
import { number, Switch } from '../parameters.ts';
import type { Routes } from '../server.ts';

export const logRoutes: Routes = (app, context) => {
  app.get(
    '/runs/:run/logs/:stream',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['runs'],
        summary: 'The log of a run',
        description:
          '`events` holds one RunEvent a line, `raw` the bytes of the agent; secrets are masked. With `follow=true` the answer goes on until the log is complete. ' +
          'With `Accept: text/event-stream` each event is one line of text (`data`) and the byte offset after it (`id`, good as Last-Event-ID).',
        params: z.object({ run: RunId, stream: LogStream }),
        querystring: z.object({
          from: number(z.int().min(0)).default(0),
          follow: Switch,
        }),
        response: {
          200: {
            content: {
              'application/octet-stream': { schema: z.string() },
              'text/event-stream': { schema: z.string() },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { run, stream } = request.params;
      const state = await streamState(context.db, run, stream);
      if (state === null)
        throw new AutocodeError('ERR_NOT_FOUND', `There is no run ${run} with a log.`, {
          remedy: 'See `autocode run list`.',
        });
      const resume = Number(request.headers['last-event-id'] ?? request.query.from);
      const from = Number.isSafeInteger(resume) && resume >= 0 ? resume : request.query.from;
      if (wantsEventStream(request)) {
        return await sendEventStream(context, request, reply, (signal) =>
          framesOfLines(followLog(context, { run, stream, from, signal }), signal),
        );
      }
      reply.header('x-log-state', state.state).type('application/octet-stream');
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const signal = AbortSignal.any([gone.signal, context.stopping]);
      const pieces =
        request.query.follow && request.method !== 'HEAD'
          ? bytesOf(followLog(context, { run, stream, from, signal }))
          : context.logs.read(run, stream, from, state.bytes);
      return await (reply as FastifyReply).send(Readable.from(pieces, { objectMode: false }));
    },
  );
};

async function* bytesOf(pieces: AsyncIterable<LogPiece>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) yield piece.bytes;
}

// An `end` frame says that the log is complete, so that a reader does not take a lost connection for it.
// Lines, not pieces: a multi-byte character or a record is never cut in two. What follows the last newline waits for its end.
async function* framesOfLines(
  pieces: AsyncIterable<LogPiece>,
  signal: AbortSignal,
): AsyncGenerator<{ id: string; event: string; data: string }> {
  let rest: Buffer = Buffer.alloc(0);
  let end = 0;
  for await (const { offset, bytes } of pieces) {
    const whole = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    const start = offset - rest.length;
    const last = whole.lastIndexOf(10) + 1;
    rest = whole.subarray(last);
    end = offset + bytes.length;
    if (last > 0) yield { id: String(start + last), event: 'log', data: whole.toString('utf8', 0, last - 1) };
  }
  if (rest.length > 0 && !signal.aborted)
    yield { id: String(end), event: 'log', data: rest.toString('utf8') };
  if (!signal.aborted) yield { id: String(end), event: 'end', data: '' };
}
