// What answers requests of the three protocols: an upstream over HTTP, or a recording. Used by gateway and recorder.
import type { Protocol } from '../../../protocol/model.ts';
import type { JsonObject } from '../wire/json.ts';

export interface EngineRequest {
  protocol: Protocol;
  /** Path under the engine's base address, as `/chat/completions` or `/messages/count_tokens`. */
  path: string;
  /** The body as it goes out, and the same parsed. */
  body: Uint8Array;
  json: JsonObject;
  headers: Record<string, string | string[] | undefined>;
  /** Ends the request at the engine too. */
  signal: AbortSignal;
}

export interface EngineAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** Not read faster than it is asked for; leaving it ends the request. */
  body: AsyncIterable<Uint8Array>;
}

export interface Engine {
  answer(request: EngineRequest): Promise<EngineAnswer>;
  close(): Promise<void>;
}
