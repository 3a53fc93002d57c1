// What a translation between two protocols is: the client speaks one, the engine the other. Requests and whole answers
// are pure functions, a stream is translated payload by payload. One file a direction beside this one.
import type { JsonObject } from '../wire/json.ts';

export interface Translation {
  /** The client's request as the engine reads it; ERR_INVALID_INPUT for what the engine could not do. */
  request(body: JsonObject): JsonObject;
  /** The engine's whole answer as the client reads it. `asked` is the client's request. */
  whole(answer: JsonObject, asked: JsonObject): JsonObject;
  /** A translator of one stream. */
  stream(asked: JsonObject): StreamTranslation;
}

export interface StreamTranslation {
  /** What the client gets for one payload of the engine's. */
  push(payload: JsonObject): JsonObject[];
  /** What is left to say when the engine's stream has ended. */
  end(): JsonObject[];
}

/** Two translations one after the other: the client's side first. */
export function chained(client: Translation, engine: Translation): Translation {
  return {
    request: (body) => engine.request(client.request(body)),
    whole: (answer, asked) => client.whole(engine.whole(answer, client.request(asked)), asked),
    stream(asked) {
      const near = client.stream(asked);
      const far = engine.stream(client.request(asked));
      return {
        push: (payload) => far.push(payload).flatMap((between) => near.push(between)),
        end: () => [...far.end().flatMap((between) => near.push(between)), ...near.end()],
      };
    },
  };
}

/** Only the members that are there: JSON has no undefined, and engines refuse null where they expect nothing. */
export function present(members: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && value !== null),
  );
}

/** An effort as every engine knows it. */
export function knownEffort(effort: unknown): string | undefined {
  if (effort === 'low' || effort === 'medium' || effort === 'high') return effort;
  if (effort === 'minimal') return 'low';
  return effort === 'xhigh' || effort === 'max' ? 'high' : undefined;
}
