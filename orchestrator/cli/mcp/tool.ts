// How a tool is defined, and what all have in common: what is answered is cut to its schema, errors say what to do.
// Used by every *-tools.ts.
import type { CallToolResult, McpServer, ServerContext } from '@modelcontextprotocol/server';
import type { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Client } from '../client.ts';

/** What the tools of one server share. */
export interface Session {
  client: Client;
  /** Of calls that name none. */
  project: string | undefined;
}

export interface Call extends Session {
  /** Aborted when the client takes the call back, or has gone. */
  signal: AbortSignal;
  /** Tells a client that asked for it how the call gets on. */
  progress: (message: string) => Promise<void>;
}

interface Tool<I extends z.ZodType, O extends z.ZodObject> {
  name: string;
  title: string;
  description: string;
  input: I;
  output: O;
  /** `read`: changes nothing. `add`: work begins or is told something. `end`: work that goes on ends, once. */
  effect: 'read' | 'add' | 'end';
  call: (input: z.output<I>, call: Call) => Promise<z.input<O>>;
  /** What a model reads, where that is not the answer as JSON. */
  text?: (output: z.output<O>) => string;
}

export type AddTool = (server: McpServer, session: Session) => void;

/** A tool, to be added to a server. */
export function tool<I extends z.ZodType, O extends z.ZodObject>(definition: Tool<I, O>): AddTool {
  const { name, title, description, input, output, effect } = definition;
  const annotations = {
    readOnlyHint: effect === 'read',
    destructiveHint: effect === 'end',
    idempotentHint: effect !== 'add',
    openWorldHint: effect === 'add',
  };
  return (server, session) =>
    server.registerTool<O, z.ZodType>(
      name,
      { title, description, inputSchema: input, outputSchema: output, annotations },
      async (given, context) => {
        try {
          const call = { ...session, signal: context.mcpReq.signal, progress: progressOf(context) };
          return result(definition, await definition.call(given as z.output<I>, call));
        } catch (error) {
          return failure(error);
        }
      },
    );
}

// A client checks an answer against the schema it was given, in which nothing else may be.
function result<I extends z.ZodType, O extends z.ZodObject>(
  tool: Tool<I, O>,
  answer: unknown,
): CallToolResult {
  const structuredContent = tool.output.parse(answer);
  const text = tool.text?.(structuredContent) ?? JSON.stringify(structuredContent);
  return { content: [{ type: 'text', text }], structuredContent };
}

function failure(error: unknown): CallToolResult {
  const text =
    error instanceof AutocodeError
      ? [`${error.message} [${error.code}]`, error.remedy].filter(Boolean).join('\n')
      : `unexpected: ${error instanceof Error ? error.message : String(error)} [ERR_INTERNAL]`;
  return { content: [{ type: 'text', text }], isError: true };
}

function progressOf({ mcpReq }: ServerContext): Call['progress'] {
  const progressToken = mcpReq._meta?.progressToken;
  let progress = 0;
  return async (message) => {
    if (progressToken === undefined || mcpReq.signal.aborted) return;
    progress += 1;
    await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, message } });
  };
}
