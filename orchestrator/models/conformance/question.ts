// What a test asks a model, as a streamed request in each of the three protocols that agents speak. Used by probe.ts.
import type { Dialogue } from '../../../protocol/model.ts';
import { present } from '../translate/translation.ts';
import type { JsonObject } from '../wire/json.ts';

export interface Question {
  text: string;
  maxTokens: number;
  tool?: Tool;
  /** Ends the answer; Responses has no such thing. */
  stop?: string;
  temperature?: number | undefined;
}

export interface Tool {
  name: string;
  description: string;
  /** JSON schema of its arguments. */
  parameters: object;
}

/** The body of the request. */
export function requestBody(protocol: Dialogue, model: string, question: Question): JsonObject {
  return present({ model, stream: true, temperature: question.temperature, ...MEMBERS[protocol](question) });
}

const MEMBERS: Record<Dialogue, (question: Question) => JsonObject> = {
  chat: ({ text, maxTokens, tool, stop }) => ({
    messages: [{ role: 'user', content: text }],
    max_tokens: maxTokens,
    tools: tool && [{ type: 'function', function: tool }],
    stop: stop === undefined ? undefined : [stop],
  }),
  messages: ({ text, maxTokens, tool, stop }) => ({
    messages: [{ role: 'user', content: text }],
    max_tokens: maxTokens,
    tools: tool && [{ name: tool.name, description: tool.description, input_schema: tool.parameters }],
    stop_sequences: stop === undefined ? undefined : [stop],
  }),
  responses: ({ text, maxTokens, tool }) => ({
    input: [{ role: 'user', content: [{ type: 'input_text', text }] }],
    max_output_tokens: maxTokens,
    store: false,
    tools: tool && [{ type: 'function', strict: false, ...tool }],
  }),
};
