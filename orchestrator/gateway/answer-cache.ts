// Answers that are the same each time: embeddings, and where the project wants it those with temperature 0. In memory,
// the ones used longest ago go first. Used by server.ts.
import { createHash } from 'node:crypto';

export interface KeptAnswer {
  head: Record<string, string>;
  body: Buffer;
}

export interface AnswerCache {
  get(key: string): KeptAnswer | undefined;
  put(key: string, answer: KeptAnswer): void;
}

/** A cache that holds so many bytes. */
export function answerCache(limit: number): AnswerCache {
  const kept = new Map<string, KeptAnswer>();
  let size = 0;
  const drop = (key: string) => {
    size -= kept.get(key)?.body.length ?? 0;
    kept.delete(key);
  };
  return {
    get(key) {
      const answer = kept.get(key);
      if (answer === undefined) return undefined;
      kept.delete(key);
      kept.set(key, answer);
      return answer;
    },
    put(key, answer) {
      drop(key);
      kept.set(key, answer);
      size += answer.body.length;
      for (const oldest of kept.keys()) {
        if (size <= limit) break;
        drop(oldest);
      }
    },
  };
}

/** The key of a request: who may share it, how it was asked, and all of its bytes. */
export function answerKey(of: readonly string[], body: Uint8Array): string {
  return createHash('sha256').update(JSON.stringify(of)).update(body).digest('base64');
}
