// /runs/{run}/logs/{stream}: the bytes of a log, whole or as they come; its lines by their numbers, and those with a text.
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { RunId } from '../../../protocol/ids.ts';
import { LogLines, LogMatches, LogStream } from '../../../protocol/log.ts';
import { text } from '../../../protocol/text.ts';
import type { Queryable } from '../../db/connect.ts';
import { followLog } from '../../workers/follow-log.ts';
import { logLineReader } from '../../workers/log-lines.ts';
import { searchLog } from '../../workers/log-search.ts';
import { streamState, type LogPiece, type StreamState } from '../../workers/log-store.ts';
import { frameText, sendEventStream, wantsEventStream } from '../event-stream.ts';
import { number, Switch } from '../parameters.ts';
import type { Routes } from '../server.ts';

const Params = z.object({ run: RunId, stream: LogStream });
const Offset = number(z.int().min(0));

export const logRoutes: Routes = (app, context) => {
  const { db, logs } = context;
  const lines = logLineReader(logs);
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
        params: Params,
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
      const state = await knownStream(db, run, stream);
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
  app.get(
    '/runs/:run/logs/:stream/lines',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['runs'],
        summary: 'Lines of the log by their numbers',
        params: Params,
        querystring: z.object({
          from: number(z.int().min(1))
            .optional()
            .meta({ description: 'Number of the first line; the last lines when left out.' }),
          limit: number(z.int().min(1).max(1000)).default(200),
        }),
        response: { 200: LogLines },
      },
    },
    async (request) => {
      const { run, stream } = request.params;
      const state = await knownStream(db, run, stream);
      const shown = await lines.lines({ run, stream, bytes: state.bytes }, request.query);
      return { state: state.state, redacted: state.redacted, ...shown };
    },
  );
  app.get(
    '/runs/:run/logs/:stream/matches',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['runs'],
        summary: 'Lines of the log that have a text, whatever its case',
        description:
          'With `from` in their order, else from the last one back. A call looks at a part of the log; `next` is where to go on.',
        params: Params,
        querystring: z.object({
          text: text()
            .min(1)
            .max(200)
            .regex(/^[^\r\n]*$/, 'must be of one line'),
          from: Offset.optional().meta({ description: 'Lines that begin at this byte or after it.' }),
          before: Offset.optional().meta({ description: 'Lines that begin before this byte.' }),
          limit: number(z.int().min(1).max(500)).default(100),
        }),
        response: { 200: LogMatches },
      },
    },
    async (request) => {
      const { run, stream } = request.params;
      const { bytes } = await knownStream(db, run, stream);
      return await searchLog({ logs, lines }, { run, stream, bytes }, request.query);
    },
  );
};

async function knownStream(db: Queryable, run: string, stream: string): Promise<StreamState> {
  const state = await streamState(db, run, stream);
  if (state !== null) return state;
  throw new AutocodeError('ERR_NOT_FOUND', `There is no run ${run} with a log.`, {
    remedy: 'See `autocode run list`.',
  });
}

async function* bytesOf(pieces: AsyncIterable<LogPiece>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) yield piece.bytes;
}

// An `end` frame says that the log is complete, so that a reader does not take a lost connection for it.
// Lines, not pieces: a multi-byte character or a record is never cut in two. What follows the last newline waits for its end.
async function* framesOfLines(pieces: AsyncIterable<LogPiece>, signal: AbortSignal): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  let end = 0;
  for await (const { offset, bytes } of pieces) {
    const whole = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    const start = offset - rest.length;
    const last = whole.lastIndexOf(10) + 1;
    rest = whole.subarray(last);
    end = offset + bytes.length;
    if (last > 0)
      yield frameText({ id: String(start + last), event: 'log', data: whole.toString('utf8', 0, last - 1) });
  }
  if (rest.length > 0 && !signal.aborted)
    yield frameText({ id: String(end), event: 'log', data: rest.toString('utf8') });
  if (!signal.aborted) yield frameText({ id: String(end), event: 'end', data: '' });
}
