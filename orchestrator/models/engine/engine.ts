// What answers requests of the three protocols: an upstream over HTTP, or a recording. Used by gateway and recorder.
import type { Protocol } from '../../../protocol/model.ts';
import type { JsonObject } from '../wire/json.ts';

export interface EngineRequest {
  protocol: Protocol;
  /** Path under the engine's base address, as `/chat/completions` or `/messages/count_tokens`. */
  path: string;
  /** The body as it goes out, whole or in parts, and the same parsed. */
  body: Uint8Array | readonly Uint8Array[];
  json: JsonObject;
  headers: Record<string, string | string[] | undefined>;
  /** Ends the request at the engine too. */
  signal: AbortSignal;
}

/** Bytes of a request's body. */
export const sizeOf = ({ body }: Pick<EngineRequest, 'body'>): number =>
  body instanceof Uint8Array ? body.length : body.reduce((sum, part) => sum + part.length, 0);

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
