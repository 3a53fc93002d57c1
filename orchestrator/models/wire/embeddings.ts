// OpenAI Embeddings on the wire. Never streamed.
import { addChatUsage } from './chat.ts';
import { openaiRefusal } from './openai-error.ts';
import type { Endpoint } from './wire.ts';

export const embeddings: Endpoint = {
  protocol: 'embeddings',
  path: '/embeddings',
  collect: () => {},
  collectWhole(collected, body) {
    addChatUsage(collected, body);
    // What has no output has none that was left out.
    collected.tokens.output ??= 0;
    collected.complete = true;
  },
  refusal: openaiRefusal,
  refusalEvent: (refusal) => ({ data: JSON.stringify(openaiRefusal(refusal)) }),
};
