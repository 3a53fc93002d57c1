// The stream of events from now on: where it begins is told first, and a reader that comes back with that misses nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emit } from '../../events/outbox.ts';
import { testApi, type TestApi } from '../testing.ts';

interface Frame {
  id: string;
  event: string;
}

/** Reads so many frames of a stream, then hangs up; `begun` is called with the first. */
async function frames(api: TestApi, count: number, last?: string, begun = async () => {}): Promise<Frame[]> {
  const { port } = api.app.server.address() as { port: number };
  const stop = new AbortController();
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/events?after=latest`, {
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${await api.token('viewer')}`,
      ...(last === undefined ? {} : { 'last-event-id': last }),
    },
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(30_000)]),
  });
  const seen: Frame[] = [];
  let text = '';
  for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + piece).split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const [, id, event] = /^id: (.*)\nevent: (.*)$/m.exec(block) ?? [];
      if (id === undefined || event === undefined) continue;
      seen.push({ id, event });
      if (seen.length === 1) await begun();
    }
    if (seen.length >= count) break;
  }
  stop.abort();
  return seen;
}

test('a stream from now on says where it begins, and leaves out what was before', async () => {
  await using api = await testApi();
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  await emit(api.db.pool, { kind: 'task.created', data: {} });
  const [begin, first] = await frames(api, 2, undefined, async () => {
    await emit(api.db.pool, { kind: 'run.created', data: {} });
  });
  assert.deepEqual([begin?.event, first?.event], ['latest', 'run.created']);
  await emit(api.db.pool, { kind: 'change.opened', data: {} });
  const again = await frames(api, 2, begin!.id);
  assert.deepEqual(
    again.map(({ event }) => event),
    ['run.created', 'change.opened'],
  );
  const page = await api.send('viewer', 'GET', '/api/v1/events?after=latest');
  assert.deepEqual(page.body, []);
});
