// `autocode mcp`: the API's tasks as tools of the Model Context Protocol, over stdin and stdout. The tools are in *-tools.ts.
// Nothing else may write to stdout. The daemon is looked for at each call, so that an editor may start this before the daemon.
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import packageJson from '../../../package.json' with { type: 'json' };
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { moneyTools } from './money-tools.ts';
import { addResources } from './resources.ts';
import { resultTools } from './result-tools.ts';
import { steeringTools } from './steering-tools.ts';
import { taskTools } from './task-tools.ts';
import type { Session } from './tool.ts';
import { waitTools } from './wait-tools.ts';

const INSTRUCTIONS =
  'Autocode does coding tasks by itself: each gets runs by a coding agent in a sandbox, is verified, and ends as a branch with a pull request. ' +
  'Give work with create_task, follow it with wait_for_task (call it again while its outcome is "time-is-up"), read the result with get_diff. ' +
  'When the outcome is "approval", show the plan to the person who decides, then call approve_plan or reject_plan. ' +
  'When a task failed, get_task says why and get_log what happened; send_message reaches its agent while it works.';

/** Serves until the client closes stdin. */
export async function serveMcp(args: GlobalArgs & { project: string | undefined }): Promise<void> {
  const session: Session = { client: connect(args), project: args.project };
  const transport = new StdioServerTransport();
  serveStdio(() => server(session), { transport, onerror: (error) => tell(error.message) });
  await closed(transport);
  // A request to a daemon that hangs would keep the process for a minute after its client has gone.
  process.exit();
}

function server(session: Session): McpServer {
  const made = new McpServer(
    { name: 'autocode', title: 'Autocode', version: packageJson.version },
    { instructions: INSTRUCTIONS },
  );
  for (const add of [...taskTools, ...waitTools, ...steeringTools, ...resultTools, ...moneyTools])
    add(made, session);
  addResources(made, session);
  return made;
}

// The end of the transport is what the protocol's server waits for as well: its own handler is kept.
async function closed(transport: StdioServerTransport): Promise<void> {
  const { onclose } = transport;
  await new Promise<void>((resolve) => {
    transport.onclose = () => {
      onclose?.();
      resolve();
    };
  });
}

function tell(message: string): void {
  process.stderr.write(`autocode mcp: ${message}\n`);
}
