// Kept prompts over the API: who may read them, and what is told when somebody does.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { test } from 'node:test';
import { identityToRecipient } from 'age-encryption';
import { liveRun } from '../../gateway/testing/live-run.ts';
import { writePrompt } from '../../prompts/files.ts';
import { promptsKey } from '../../prompts/key.ts';
import { fileSecrets } from '../../secrets/file.ts';
import { testApi, type TestApi } from '../testing.ts';

/** A call of a run; answers its id. */
async function aCall({ db }: TestApi, run: string, request: string): Promise<number> {
  const { rows } = await db.pool.query<{ id: number }>(
    `insert into model_call (request, run, task, project, protocol, model_asked, model_served, input_tokens, cached_tokens,
       output_tokens, usage_source, price, cost_micros, status, outcome, total_ms)
     select $2, id, task, 1, 'chat', 'm', 'e/m', 1, 0, 1, 'upstream', '{}', 1, 200, 'ok', 1 from run where id = $1 returning id`,
    [run, request],
  );
  return rows[0]!.id;
}

test('an admin lists and reads kept prompts, others do not, and each reading is an event', async () => {
  await using api = await testApi();
  const { run } = await liveRun(api.db.pool);
  const [kept, other] = [randomUUID(), randomUUID()];
  const call = await aCall(api, run, kept);
  const without = await aCall(api, run, other);
  const key = await promptsKey(fileSecrets(path.join(api.directory, 'secrets')));
  const prompt = { request: { model: 'm' }, answer: { text: 'Hello.', toolCalls: [] }, redacted: 2 };
  await writePrompt(path.join(api.directory, 'prompts'), await identityToRecipient(key), {
    run,
    request: kept,
    prompt,
  });

  const place = `/api/v1/runs/${run}/prompts`;
  const list = await api.send('admin', 'GET', place);
  assert.deepEqual(
    list.body.map(({ id }: { id: number }) => id),
    [call],
  );
  assert.deepEqual((await api.send('admin', 'GET', `${place}/${call}`)).body, prompt);
  assert.equal((await api.send('operator', 'GET', `${place}/${call}`)).status, 403);
  const missing = await api.send('admin', 'GET', `${place}/${without}`);
  assert.equal(missing.status, 404);
  assert.match(missing.text, /No prompt of call .* is kept.*--keep-prompts/);
  assert.equal((await api.send('admin', 'GET', '/api/v1/runs/999-1/prompts')).status, 404);

  const { rows } = await api.db.pool.query(`select run, data from event where kind = 'prompt.read'`);
  assert.deepEqual(rows, [{ run, data: { call, by: 'admin' } }]);
});
