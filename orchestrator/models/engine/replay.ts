// Plays a recording in all three protocols, streamed and not, in this process. What is not in the recording is refused
// with what was asked, what was nearest and how to record it: nothing is made up.
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Dialogue } from '../../../protocol/model.ts';
import { CWD, normalisedOpening, taskLine, workingDirectory } from '../conversation.ts';
import { conversationDigest, readRecording } from '../recording.ts';
import type { Recording, RecordingEntry } from '../recording.ts';
import { string } from '../wire/json.ts';
import { encodeEvent } from '../wire/sse.ts';
import { WIRES } from '../wire/table.ts';
import type { Conversation, Reply, ReplyCall } from '../wire/wire.ts';
import { sizeOf } from './engine.ts';
import type { Engine, EngineAnswer, EngineRequest } from './engine.ts';

const REMEDY =
  'Record it against a real model with `autocode replay record`, or configure a model (models.engines; docs/recordings.md).';

/** An engine that answers from the recording in the file, which is read again when it changes. */
export function replayEngine(path: string): Engine {
  let loaded: { changed: number; recording: Recording } | undefined;
  const load = async () => {
    const changed = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => -1,
    );
    if (loaded?.changed !== changed) loaded = { changed, recording: await readRecording(path) };
    return loaded.recording;
  };
  return {
    async answer(given) {
      // A recording offers no other protocols.
      const request = given as EngineRequest & { protocol: Dialogue };
      if (request.path.endsWith('/count_tokens'))
        return jsonAnswer({ input_tokens: Math.ceil(sizeOf(request) / 4) });
      const wire = WIRES[request.protocol];
      const recording = await load();
      const conversation = wire.read(request.json);
      const entry = chooseEntry(recording, conversation, request.protocol);
      const reply = replyOf(recording, entry, conversation, request);
      if (request.json.stream !== true) return jsonAnswer(wire.whole(reply));
      return {
        status: 200,
        headers: { 'content-type': 'text/event-stream' },
        body: bytes(wire.events(reply).map(encodeEvent)),
      };
    },
    close: async () => {},
  };
}

/** The entry for this turn of this conversation; of several the last, since that is the one the agent went on from. */
function chooseEntry(recording: Recording, conversation: Conversation, protocol: Dialogue): RecordingEntry {
  const digest = conversationDigest(normalisedOpening(conversation));
  const spoken = recording.entries.filter(
    (entry) => entry.protocol === undefined || entry.protocol === protocol,
  );
  const same = spoken.filter(({ conversation: named }) =>
    'contains' in named ? conversation.opening.includes(named.contains) : named.sha256 === digest,
  );
  const offers = conversation.tools.length > 0;
  const fitting = same.filter(
    ({ turn, tools }) => turn === conversation.turn && (tools ?? offers) === offers,
  );
  const entry = fitting.at(-1);
  if (entry !== undefined) return entry;
  throw left(recording, conversation, protocol, nearest(recording, spoken, same, conversation));
}

function nearest(
  recording: Recording,
  spoken: RecordingEntry[],
  same: RecordingEntry[],
  { turn, tools }: Conversation,
): string {
  if (same.some((entry) => entry.turn === turn)) {
    return `That turn is there for a request ${tools.length > 0 ? 'without' : 'with'} tools only.`;
  }
  if (same.length > 0) {
    const turns = [...new Set(same.map((entry) => entry.turn))].sort((a, b) => a - b);
    return `Of that conversation it has turns ${turns.join(', ')}.`;
  }
  const names = (entries: RecordingEntry[]) =>
    [
      ...new Set(
        entries.map(({ conversation: named }) =>
          'contains' in named ? `"${named.contains}"` : named.sha256.slice(0, 12),
        ),
      ),
    ].join(', ');
  if (spoken.length > 0) return `It has the conversations ${names(spoken)}.`;
  const protocols = [...new Set(recording.entries.map((entry) => entry.protocol))].join(', ');
  return recording.entries.length === 0 ? 'It is empty.' : `It speaks ${protocols} only.`;
}

function left(
  recording: Recording,
  conversation: Conversation,
  protocol: Dialogue,
  detail: string,
): AutocodeError {
  const subject = taskLine(conversation) ?? normalisedOpening(conversation).slice(0, 80);
  return new AutocodeError(
    'ERR_RECORDING_LEFT',
    `The recording "${recording.header.recording}" has no answer for turn ${conversation.turn} of the conversation "${subject}" over ${protocol}. ${detail}`,
    { remedy: REMEDY, details: { recording: recording.header.recording, turn: conversation.turn, protocol } },
  );
}

function replyOf(
  recording: Recording,
  entry: RecordingEntry,
  conversation: Conversation,
  request: EngineRequest & { protocol: Dialogue },
): Reply {
  const cwd = workingDirectory(conversation);
  const refuse = (detail: string) => left(recording, conversation, request.protocol, detail);
  const placed = (text: string, directory = cwd): string => {
    if (directory === undefined && text.includes(CWD))
      throw refuse(`Its answer needs ${CWD}, and the request names no working directory.`);
    return text.replaceAll(CWD, directory ?? CWD);
  };
  const callOf = ({
    name: named,
    arguments: given,
  }: RecordingEntry['answer']['toolCalls'][number]): ReplyCall => {
    const name = typeof named === 'string' ? named : named[request.protocol];
    if (name === undefined) throw refuse(`Its tool call has no name for ${request.protocol}.`);
    const tool = conversation.tools.find((offered) => offered.name === name);
    if (tool === undefined) {
      const offered = conversation.tools.map((other) => other.name).join(', ');
      throw refuse(
        `Its answer calls the tool ${name}, which the agent does not offer (${offered === '' ? 'it offers none' : offered}).`,
      );
    }
    // Inside JSON text the directory must be escaped as JSON is.
    const args =
      typeof given === 'string'
        ? placed(given)
        : placed(JSON.stringify(given), cwd && JSON.stringify(cwd).slice(1, -1));
    return { name, arguments: args, freeform: tool.freeform };
  };
  return {
    id: `${createHash('sha256').update(conversation.opening).digest('hex').slice(0, 12)}_${conversation.turn}`,
    model: string(request.json.model),
    text: placed(entry.answer.text),
    toolCalls: entry.answer.toolCalls.map(callOf),
    tokens: entry.answer.usage,
  };
}

function jsonAnswer(body: object): EngineAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: bytes([JSON.stringify(body)]),
  };
}

async function* bytes(parts: string[]): AsyncIterable<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}
