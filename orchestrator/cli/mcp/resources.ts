// Tasks and the logs of runs as resources, for clients that let people attach such things to a conversation. Used by serve.ts.
import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { RunId } from '../../../protocol/ids.ts';
import { Task } from '../../../protocol/task.ts';
import { taskState } from '../states.ts';
import { ending } from './excerpt.ts';
import { logLines } from './result-tools.ts';
import { taskReport } from './task-report.ts';
import type { Session } from './tool.ts';

const NEWEST_TASKS = 50;
const LOG_CHARACTERS = 400_000;

/** Offers `autocode://tasks/12` and `autocode://runs/12-1/log`. */
export function addResources(server: McpServer, { client, project }: Session): void {
  const list = async () => {
    const tasks = await client.get('/tasks', z.array(Task), { project, limit: NEWEST_TASKS }).catch(refuse);
    return {
      resources: tasks.map((task) => ({
        uri: `autocode://tasks/${task.id}`,
        name: `Task ${task.id}: ${task.title}`,
        description: `${taskState(task)}, in ${task.project}`,
        mimeType: 'application/json',
      })),
    };
  };
  server.registerResource(
    'task',
    new ResourceTemplate('autocode://tasks/{task}', { list }),
    { title: 'A task', description: 'Its state, runs and changes.', mimeType: 'application/json' },
    async ({ href: uri }, { task }) => {
      const report = await taskReport(client, named(z.coerce.number().int().positive(), task)).catch(refuse);
      return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify(report, null, 2) }] };
    },
  );
  server.registerResource(
    'run-log',
    new ResourceTemplate('autocode://runs/{run}/log', { list: undefined }),
    { title: 'The log of a run', description: 'Its end, where it is long.', mimeType: 'text/plain' },
    async ({ href: uri }, { run }) => {
      const { lines } = await logLines(client, named(RunId, run)).catch(refuse);
      const { text } = ending(lines, lines.length, LOG_CHARACTERS);
      return { contents: [{ uri, mimeType: 'text/plain', text }] };
    },
  );
}

function named<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const found = schema.safeParse(value);
  if (found.success) return found.data;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no ${String(value)}.`);
}

function refuse(error: unknown): never {
  if (!(error instanceof AutocodeError)) throw error;
  const said = [error.message, error.remedy].filter(Boolean).join(' ');
  throw new ProtocolError(ProtocolErrorCode.InternalError, said, { code: error.code });
}
