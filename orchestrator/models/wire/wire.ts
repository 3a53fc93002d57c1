// What differs between the protocols: reading an answer and refusing, and for the three that hold conversations (a wire)
// also reading a request and writing an answer. One file a protocol beside this one; used by gateway, replay and recorder.
import type { Dialogue, Protocol } from '../../../protocol/model.ts';
import type { JsonObject } from './json.ts';
import type { SseEvent } from './sse.ts';

/** A request, read the same way from all protocols. */
export interface Conversation {
  /** Text of the user messages before the first answer: what the conversation is about. */
  opening: string;
  /** Text of system and developer messages. */
  setting: string;
  /** Answers of the model so far. */
  turn: number;
  tools: OfferedTool[];
}

export interface OfferedTool {
  name: string;
  /** Takes free text instead of a JSON object (custom tools of Responses). */
  freeform: boolean;
}

/** Tokens of one answer. `input` holds all of them, cached ones counted in. */
export interface Tokens {
  input: number;
  cached: number;
  output: number;
}

/** An answer to be written. */
export interface Reply {
  /** Unique within the conversation; ids of messages and calls are made from it. */
  id: string;
  model: string;
  text: string;
  toolCalls: ReplyCall[];
  tokens: Tokens;
}

export interface ReplyCall {
  name: string;
  /** JSON text, or free text for a tool that takes that. */
  arguments: string;
  freeform: boolean;
}

/** What has been read of an answer; it grows with each event of a stream. */
export interface Collected {
  text: string;
  toolCalls: Map<string | number, { name: string; arguments: string }>;
  /** Characters of reasoning, which is paid for like text. */
  reasoningChars: number;
  tokens: Partial<Tokens>;
  /** How many of the output tokens were reasoning, where the engine says so. */
  reasoningTokens: number | undefined;
  /** The model stopped by itself. */
  complete: boolean;
  /** The last event was seen: nothing follows. */
  finished: boolean;
  /** The engine's words, when it reported an error inside the stream. */
  error: string | undefined;
}

export interface Refusal {
  status: number;
  code: string;
  message: string;
  requestId: string;
  /** Seconds until it is worth another try. */
  retryAfter?: number;
}

export interface Endpoint {
  protocol: Protocol;
  /** Path under an engine's base address. */
  path: string;
  /** Adds what one event's payload says. */
  collect(collected: Collected, payload: JsonObject): void;
  /** Adds what a whole body says. */
  collectWhole(collected: Collected, body: JsonObject): void;
  /** The error body that clients of this protocol understand. */
  refusal(refusal: Refusal): object;
  /** The same inside a stream that has begun. */
  refusalEvent(refusal: Refusal): SseEvent;
}

export interface Wire extends Endpoint {
  protocol: Dialogue;
  read(body: JsonObject): Conversation;
  /** The answer as one body. */
  whole(reply: Reply): object;
  /** The answer as the events of a stream. */
  events(reply: Reply): SseEvent[];
}

/** An answer of which nothing has been read yet. */
export function nothingCollected(): Collected {
  return {
    text: '',
    toolCalls: new Map(),
    reasoningChars: 0,
    tokens: {},
    reasoningTokens: undefined,
    complete: false,
    finished: false,
    error: undefined,
  };
}

/** Adds to the call of that key, which begins with its name. */
export function collectCall(collected: Collected, key: string | number, name: string, part: string): void {
  const call = collected.toolCalls.get(key) ?? { name: '', arguments: '' };
  call.name ||= name;
  call.arguments += part;
  collected.toolCalls.set(key, call);
}

/** Keeps the last figure that the engine gave for each kind of token. */
export function collectTokens(
  collected: Collected,
  tokens: { [Kind in keyof Tokens]: number | undefined },
): void {
  for (const kind of ['input', 'cached', 'output'] as const) {
    if (tokens[kind] !== undefined) collected.tokens[kind] = tokens[kind];
  }
}
