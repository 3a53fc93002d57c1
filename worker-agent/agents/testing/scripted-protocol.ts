// What the scripted model's protocols share: a conversation as read from a request, a reply, the tokens it counts.
// Used by scripted-model.ts and the protocols beside it.

/** What a model says. */
export type Said = { text: string } | { tool: string; input: Record<string, unknown> };

/** What a reply is chosen by. `results` holds the texts of the tool results after the last prompt. */
export interface Conversation {
  prompt: string;
  results: string[];
  tools: string[];
  /** The request as it came. */
  body: string;
}

/** One protocol: how a conversation is read from a request's body, and what a reply looks like. */
export interface ScriptedProtocol {
  read(body: never): Omit<Conversation, 'body'>;
  /** The whole answer, and the same as a stream: what follows each `data: `, and the event's name where it has one. */
  answer(model: string, reply: Said): { whole: object; events: { name?: string; data: unknown }[] };
}

/** Token counts of every answer; the cached ones are a part of the input. */
export const SCRIPTED_USAGE = { inputTokens: 1000, cachedTokens: 200, outputTokens: 50 };

/** The texts of a message's content, one string or parts. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { text?: string }) => part.text ?? '').join('');
}

/** In two, as a stream may cut anywhere. */
export function halves(text: string): string[] {
  const middle = text.length >> 1;
  return [text.slice(0, middle), text.slice(middle)];
}
