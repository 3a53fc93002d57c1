// The protocols by name: all of them, and those that hold conversations.
import type { Dialogue, Protocol } from '../../../protocol/model.ts';
import { chat } from './chat.ts';
import { completions } from './completions.ts';
import { embeddings } from './embeddings.ts';
import { messages } from './messages.ts';
import { responses } from './responses.ts';
import type { Endpoint, Wire } from './wire.ts';

export const WIRES: Record<Dialogue, Wire> = { chat, responses, messages };

export const ENDPOINTS: Record<Protocol, Endpoint> = { ...WIRES, completions, embeddings };
