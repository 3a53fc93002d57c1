// Which protocol a client may speak in front of which engine. Used by catalogue and gateway.
import type { Dialogue, Protocol } from '../../../protocol/model.ts';
import { DIALOGUES } from '../../../protocol/model.ts';
import { chatOverMessages } from './chat-over-messages.ts';
import { messagesOverChat } from './messages-over-chat.ts';
import { responsesOverChat } from './responses-over-chat.ts';
import { chained } from './translation.ts';
import type { Translation } from './translation.ts';

/** By the client's protocol, then by the engine's, the nearer one first. */
const TRANSLATIONS: Record<Dialogue, Partial<Record<Dialogue, Translation>>> = {
  chat: { messages: chatOverMessages },
  messages: { chat: messagesOverChat },
  responses: { chat: responsesOverChat, messages: chained(responsesOverChat, chatOverMessages) },
};

/** The protocol to speak with an engine, and the translation where it is not the client's; undefined where there is no way. */
export function wayTo(
  spoken: readonly Protocol[],
  asked: Protocol,
): { protocol: Protocol; translation?: Translation } | undefined {
  if (spoken.includes(asked)) return { protocol: asked };
  if (!isDialogue(asked)) return undefined;
  for (const [protocol, translation] of Object.entries(TRANSLATIONS[asked])) {
    if (spoken.includes(protocol as Dialogue)) return { protocol: protocol as Dialogue, translation };
  }
  return undefined;
}

/** All protocols that clients may speak with an engine. */
export function offered(spoken: readonly Protocol[]): Protocol[] {
  const translated = DIALOGUES.filter(
    (asked) => !spoken.includes(asked) && wayTo(spoken, asked) !== undefined,
  );
  return [...spoken, ...translated];
}

function isDialogue(protocol: Protocol): protocol is Dialogue {
  return (DIALOGUES as readonly Protocol[]).includes(protocol);
}
