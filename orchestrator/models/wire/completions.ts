// OpenAI Completions on the wire: text in, text out. Used by editors that complete code.
import { addChatUsage } from './chat.ts';
import { objects, string } from './json.ts';
import type { JsonObject } from './json.ts';
import { openaiRefusal } from './openai-error.ts';
import type { Collected, Endpoint } from './wire.ts';

export const completions: Endpoint = {
  protocol: 'completions',
  path: '/completions',
  collect(collected, payload) {
    add(collected, payload);
    // The usage is still to come, then [DONE].
    if (objects(payload.choices).some((choice) => string(choice.finish_reason) !== ''))
      collected.complete = true;
  },
  collectWhole(collected, body) {
    add(collected, body);
    collected.complete = true;
  },
  refusal: openaiRefusal,
  refusalEvent: (refusal) => ({ data: JSON.stringify(openaiRefusal(refusal)) }),
};

function add(collected: Collected, payload: JsonObject): void {
  for (const choice of objects(payload.choices)) collected.text += string(choice.text);
  addChatUsage(collected, payload);
}
