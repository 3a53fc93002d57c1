// The wires by name of their protocol.
import type { Protocol } from '../../../protocol/model.ts';
import { chat } from './chat.ts';
import { messages } from './messages.ts';
import { responses } from './responses.ts';
import type { Wire } from './wire.ts';

export const WIRES: Record<Protocol, Wire> = { chat, responses, messages };
