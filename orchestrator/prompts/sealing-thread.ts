// The thread that redacts, compresses, seals and writes prompts, one after the other; nothing of that may hold up the calls
// of others. Run by keeper.ts, which ends it when one takes too long. It has no key that opens what it wrote.
import { parentPort, workerData } from 'node:worker_threads';
import { collector } from '../models/wire/collector.ts';
import type { LiveValue } from '../secrets/live-values.ts';
import { redactor } from '../redaction/redactor.ts';
import type { PromptToKeep } from './keeper.ts';
import { writePrompt } from './files.ts';

const { directory, recipient } = workerData as { directory: string; recipient: string };

async function keep(
  { run, request, protocol, body, answer }: PromptToKeep,
  live: LiveValue[],
): Promise<void> {
  const asked: unknown = JSON.parse(Buffer.from(body).toString());
  const { value, redacted } = redactor(live).json({ asked, answered: answer && read(protocol, answer) });
  const prompt = { request: value.asked, answer: value.answered ?? null, redacted };
  await writePrompt(directory, recipient, { run, request, prompt });
}

/** What was said, put together from the pieces of a stream: a key cut in two would not be found. */
function read(protocol: PromptToKeep['protocol'], { streamed, bytes }: NonNullable<PromptToKeep['answer']>) {
  const reading = collector(protocol);
  if (streamed) reading.push(bytes);
  else reading.whole(bytes);
  const { text, toolCalls } = reading.collected;
  return { text, toolCalls: [...toolCalls.values()] };
}

parentPort?.on('message', ({ prompt, live }: { prompt: PromptToKeep; live: LiveValue[] }) => {
  keep(prompt, live).then(
    () => parentPort?.postMessage(undefined),
    (error: unknown) => parentPort?.postMessage(String(error)),
  );
});
