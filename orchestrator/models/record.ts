// Makes a recording: a proxy in front of a real upstream that passes everything through and writes down each answer.
// Used by `autocode replay record`. Keys travel in headers only, and headers are never written.
import { once } from 'node:events';
import { appendFile, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { randomUUID } from 'node:crypto';
import { AutocodeError } from '../../protocol/errors.ts';
import { DIALOGUES } from '../../protocol/model.ts';
import type { Dialogue } from '../../protocol/model.ts';
import { CWD, normalisedOpening, taskLine, workingDirectory } from './conversation.ts';
import { upstreamEngine } from './engine/upstream.ts';
import type { Engine } from './engine/engine.ts';
import { RecordingHeader, conversationDigest, readRecording } from './recording.ts';
import type { RecordingEntry } from './recording.ts';
import { collector, countedTokens } from './wire/collector.ts';
import { object, parse } from './wire/json.ts';
import { refusalOf, sendRefusal } from './wire/refusal.ts';
import { parseBody, readBody } from './wire/request-body.ts';
import { WIRES } from './wire/table.ts';
import type { Collected, Conversation } from './wire/wire.ts';

export interface RecorderOptions {
  upstreamUrl: string;
  apiKey?: string;
  /** What the upstream speaks; `['messages']` sends the key the way Anthropic takes it. */
  protocols?: readonly Dialogue[];
  /** An existing recording is added to. */
  file: string;
  host: string;
  port: number | 'auto';
  /** Told after each answer that was written down. */
  onEntry?: (entry: RecordingEntry) => void;
}

export interface Recorder {
  /** Base address for agents, or for an engine of the configuration. */
  url: string;
  /** Ends when all that was answered is written. */
  stop(): Promise<void>;
}

const BODY_LIMIT = 50 * 1024 * 1024;

/** Starts the proxy; the file has its header when this returns. */
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  await beginFile(options.file);
  const { apiKey, protocols = DIALOGUES } = options;
  const upstream = upstreamEngine({
    name: 'upstream',
    url: options.upstreamUrl,
    protocols,
    apiKey: async () => apiKey,
  });
  let written = Promise.resolve();
  const write = (entry: RecordingEntry) => {
    const line = JSON.stringify(entry);
    const safe = apiKey === undefined || apiKey === '' ? line : line.replaceAll(apiKey, '[key]');
    written = written.then(() => appendFile(options.file, `${safe}\n`)).then(() => options.onEntry?.(entry));
    return written;
  };
  const server = createServer((request, response) => {
    const wire = Object.values(WIRES).find(({ path }) => request.url?.split('?')[0] === `/v1${path}`);
    proxy(upstream, wire?.protocol, request, response, write).catch((error: unknown) => {
      if (response.headersSent) return void response.destroy();
      sendRefusal(response, wire?.protocol ?? 'chat', refusalOf(error, randomUUID()));
    });
  });
  server.listen(options.port === 'auto' ? 0 : options.port, options.host);
  await once(server, 'listening');
  return {
    url: `http://${options.host}:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await written;
      await upstream.close();
    },
  };
}

async function proxy(
  upstream: Engine,
  protocol: Dialogue | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  write: (entry: RecordingEntry) => Promise<void>,
): Promise<void> {
  if (protocol === undefined || request.method !== 'POST') {
    throw new AutocodeError('ERR_NOT_FOUND', `The recorder does not serve ${request.method} ${request.url}.`);
  }
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const body = await readBody(request, BODY_LIMIT);
  const json = parseBody(body);
  const wire = WIRES[protocol];
  const { headers } = request;
  const answer = await upstream.answer({
    protocol,
    path: wire.path,
    body,
    json,
    headers,
    signal: gone.signal,
  });
  const type = String(answer.headers['content-type'] ?? 'application/json');
  const streamed = type.startsWith('text/event-stream');
  const reading = collector(protocol);
  const chunks: Uint8Array[] = [];
  response.writeHead(answer.status, { 'content-type': type });
  for await (const chunk of answer.body) {
    if (streamed) reading.push(chunk);
    else chunks.push(chunk);
    if (!response.write(chunk)) await once(response, 'drain', { signal: gone.signal });
  }
  if (!streamed) reading.whole(Buffer.concat(chunks));
  const { collected } = reading;
  if (answer.status === 200 && collected.complete && collected.error === undefined) {
    await write(entryOf(protocol, wire.read(json), collected, body.length));
  }
  response.end();
}

async function beginFile(file: string): Promise<void> {
  const known = await readFile(file, 'utf8').catch(() => '');
  if (known.trim() !== '') return void (await readRecording(file));
  const header = RecordingHeader.safeParse({
    recording: basename(file, '.jsonl'),
    made: new Date().toISOString().slice(0, 10),
    by: 'record',
    description: '',
  });
  if (!header.success || !file.endsWith('.jsonl')) {
    throw new AutocodeError('ERR_INVALID_INPUT', `A recording cannot be called ${basename(file)}.`, {
      remedy: 'Name the file <name>.jsonl with a name of a-z, 0-9, dot, dash and underscore.',
    });
  }
  await appendFile(file, `${JSON.stringify(header.data)}\n`);
}

/** The entry that plays this answer again, in whatever directory the agent then works. */
function entryOf(
  protocol: Dialogue,
  conversation: Conversation,
  collected: Collected,
  requestBytes: number,
): RecordingEntry {
  const marker = taskLine(conversation);
  const cwd = workingDirectory(conversation);
  const anywhere = (text: string, directory = cwd) =>
    directory === undefined ? text : text.replaceAll(directory, CWD);
  const argumentsOf = (text: string) => {
    const parsed = parse(anywhere(text, cwd && JSON.stringify(cwd).slice(1, -1)));
    return object(parsed) === parsed ? object(parsed) : text.trim() === '' ? {} : anywhere(text);
  };
  const {
    input = countedTokens(requestBytes),
    cached = 0,
    output = countedTokens(collected),
  } = collected.tokens;
  return {
    conversation:
      marker === undefined
        ? { sha256: conversationDigest(normalisedOpening(conversation)) }
        : { contains: marker },
    protocol,
    turn: conversation.turn,
    tools: conversation.tools.length > 0,
    answer: {
      text: anywhere(collected.text),
      toolCalls: [...collected.toolCalls.values()].map((call) => ({
        name: call.name,
        arguments: argumentsOf(call.arguments),
      })),
      usage: { input, cached, output },
    },
  };
}
