// `autocode run logs` and `task logs`: what happened, as text; the raw stream byte for byte.
import { RunEvent, type LogStream } from '../../../protocol/log.ts';
import { Task } from '../../../protocol/task.ts';
import { connect, type Client } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { eventLines } from '../watch/run-lines.ts';
import { newestRun } from './diff.ts';

interface Args extends GlobalArgs {
  stream: LogStream;
  follow: boolean;
}

/** Prints the log of a run. */
export async function runLogs(args: Args & { run: string }): Promise<void> {
  await printLog(connect(args), args.run, args);
}

/** Prints the log of a task's newest run. */
export async function taskLogs(args: Args & { task: number }): Promise<void> {
  const client = connect(args);
  await printLog(client, newestRun(await client.get(`/tasks/${args.task}`, Task)), args);
}

async function printLog(client: Client, run: string, args: Args): Promise<void> {
  const path = `/runs/${encodeURIComponent(run)}/logs/${args.stream}`;
  if (args.stream === 'raw' || args.json) {
    for await (const chunk of await client.bytes(path, { follow: args.follow })) await write(chunk);
    return;
  }
  for await (const event of args.follow
    ? followLog(client, run, new AbortController().signal)
    : readLog(client, path)) {
    for (const line of eventLines(event, { verbose: args.verbose })) await write(`${line}\n`);
  }
}

/** The events of a run's log as they come, until it is complete. */
export async function* followLog(client: Client, run: string, signal: AbortSignal): AsyncGenerator<RunEvent> {
  for await (const message of client.follow(`/runs/${encodeURIComponent(run)}/logs/events`, { signal })) {
    yield* parseLines(message.data);
  }
}

/** The events of a log as it is now, from a byte on; the record that this cuts in two is passed over. */
export async function* readLog(client: Client, path: string, from = 0): AsyncGenerator<RunEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of await client.bytes(path, { from })) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* parseLines(lines.join('\n'));
  }
  yield* parseLines(rest);
}

/** Records of a newer version that are not known here are passed over. */
function* parseLines(text: string): Generator<RunEvent> {
  for (const line of text.split('\n')) {
    if (line === '') continue;
    try {
      const event = RunEvent.safeParse(JSON.parse(line));
      if (event.success) yield event.data;
    } catch {
      // the last line of a log that was cut off
    }
  }
}

/** Waits while the reader is slower. */
async function write(chunk: Uint8Array | string): Promise<void> {
  if (!process.stdout.write(chunk)) await new Promise((resolve) => process.stdout.once('drain', resolve));
}
