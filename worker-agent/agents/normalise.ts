// ACP session updates → the run's log events: messages, tool calls, file changes, usage. Used by AcpAgent.
import { relative } from 'node:path';
import type { SessionUpdate, ToolCallContent, ToolCallUpdate } from '@agentclientprotocol/sdk';
import type { Usage } from '@agentclientprotocol/sdk/unstable';
import type { AgentTokens, PlanStep } from '../../protocol/run.ts';
import type { AgentContext } from './coding-agent.ts';
import { messageBuffer } from './message-buffer.ts';
import { clean } from './output-events.ts';

export interface Normaliser {
  update(update: SessionUpdate): void;
  /** What an agent says of a whole turn's tokens: cached ones are not in its input. */
  turnUsage(usage: Usage): void;
  /** Ends a turn: gives out what waits, and answers the agent's last message, the text after its last tool call. */
  endTurn(): string;
  /** A tool call as it was told last. */
  toolCall(id: string): { title: string; kind: string } | undefined;
  /** What the agent told of its tokens, over all turns; null when nothing. */
  counted(): AgentTokens | null;
}

interface ToolCallState {
  title: string;
  kind: string;
  status: string;
  paths: string[];
}

const FAILURE_CHARACTERS = 2000;
const STATUS = {
  pending: 'pending',
  in_progress: 'in-progress',
  completed: 'completed',
} as const satisfies Record<string, PlanStep['status']>;

/** A normaliser for one session whose work tree is at `workspace`; messages that match `notices` are the program's own. */
export function normaliser(
  workspace: string,
  { emit, plan }: Pick<AgentContext, 'emit' | 'plan'>,
  notices?: RegExp,
): Normaliser {
  const messages = messageBuffer(emit);
  const calls = new Map<string, ToolCallState>();
  let told: AgentTokens | null = null;
  let lastMessage = '';

  /** A path as the repository names it; absolute when it lies outside. */
  function pathInTree(path: string): string {
    const inside = relative(workspace, path);
    return inside === '' || inside.startsWith('..') ? path : inside;
  }

  function say(role: 'agent' | 'thought', text: string): void {
    const words = clean(text); // What a model says is shown on terminals.
    if (notices?.test(words)) return emit({ type: 'notice', text: words });
    if (role === 'agent') lastMessage += words;
    messages.add(role, words);
  }

  function toolCall(update: ToolCallUpdate): void {
    messages.flush();
    lastMessage = '';
    const before = calls.get(update.toolCallId);
    const after: ToolCallState = {
      title: clean(update.title ?? before?.title ?? update.toolCallId).slice(0, 500),
      kind: update.kind ?? before?.kind ?? 'other',
      status: update.status ?? before?.status ?? 'pending',
      paths: update.locations?.length
        ? update.locations.map(({ path }) => pathInTree(path))
        : (before?.paths ?? []),
    };
    calls.set(update.toolCallId, after);
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    const { title, kind, status, paths } = after;
    emit({
      type: 'tool_call',
      id: update.toolCallId,
      title,
      kind,
      status,
      ...(paths.length ? { paths } : {}),
    });
    if (status === 'completed') for (const content of update.content ?? []) fileChange(content);
    if (status === 'failed') {
      const text = clean((update.content ?? []).map(textOf).join('\n')).trim();
      if (text) emit({ type: 'output', source: 'agent:tool', text: text.slice(0, FAILURE_CHARACTERS) });
    }
  }

  function fileChange(content: ToolCallContent): void {
    if (content.type !== 'diff') return;
    const change = content.oldText ? 'modified' : 'added';
    emit({ type: 'file_change', path: pathInTree(content.path), change });
  }

  function usage(meta: Record<string, unknown> | null | undefined): void {
    const counts = meta?.['usage'] as Record<string, unknown> | undefined;
    if (typeof counts !== 'object' || counts === null) return;
    const count = (name: string) => (typeof counts[name] === 'number' ? counts[name] : 0);
    spend({
      inputTokens: count('inputTokens'),
      cachedTokens: count('cachedReadTokens'),
      outputTokens: count('outputTokens'),
    });
  }

  function spend(one: AgentTokens): void {
    told = {
      inputTokens: (told?.inputTokens ?? 0) + one.inputTokens,
      cachedTokens: (told?.cachedTokens ?? 0) + one.cachedTokens,
      outputTokens: (told?.outputTokens ?? 0) + one.outputTokens,
    };
    messages.flush();
    emit({ type: 'usage', ...one });
  }

  return {
    update(update) {
      switch (update.sessionUpdate) {
        case 'agent_message_chunk':
        case 'agent_thought_chunk':
          if (update.content.type === 'text') {
            say(update.sessionUpdate === 'agent_message_chunk' ? 'agent' : 'thought', update.content.text);
          }
          usage(update._meta);
          break;
        case 'tool_call':
        case 'tool_call_update':
          toolCall(update);
          break;
        case 'plan':
          plan(
            update.entries.map(({ content, status }) => ({ title: clean(content), status: STATUS[status] })),
          );
          break;
      }
    },
    turnUsage({ inputTokens, cachedReadTokens, cachedWriteTokens, outputTokens }) {
      const cachedTokens = cachedReadTokens ?? 0;
      spend({
        inputTokens: inputTokens + cachedTokens + (cachedWriteTokens ?? 0),
        cachedTokens,
        outputTokens,
      });
    },
    endTurn() {
      messages.flush();
      const text = lastMessage;
      lastMessage = '';
      return text;
    },
    toolCall: (id) => calls.get(id),
    counted: () => told,
  };
}

function textOf(content: ToolCallContent): string {
  return content.type === 'content' && content.content.type === 'text' ? content.content.text : '';
}
