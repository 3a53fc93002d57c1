import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Protocol } from '../../protocol/model.ts';
import { guards, repeatedCall } from './guards.ts';
import { gatewayKeys } from './keys.ts';
import { NOTHING } from './metering.ts';
import { liveRun } from './testing/live-run.ts';

const LIMITS = { callsPerRun: 3, tokensPerRun: 100, sameRequests: 2, sameToolCalls: 3 };
const bytes = (text: string) => Buffer.from(text);

async function guarded(limits = LIMITS) {
  const database = await testDatabase();
  const { key } = await liveRun(database.pool);
  const caller = await gatewayKeys(database.pool)(key);
  return { database, caller, guard: guards(database.pool, limits) };
}

test('a run has so many calls and tokens, unless its task says otherwise', async () => {
  const { database, caller, guard } = await guarded();
  await using _ = database;
  const enter = (text: string, who = caller) => guard.enter(who, 'chat', bytes(text), {});
  for (const text of ['a', 'b', 'c']) await enter(text);
  await assert.rejects(enter('d'), { code: 'ERR_RUN_LIMIT', message: /used up its 3 model calls/ });
  const raised = { ...caller, limits: { maxCalls: 10 } };
  const passed = await enter('d', raised);
  passed.leave({ ...NOTHING, tokens: { input: 99, cached: 0, output: 1 } }, true);
  await assert.rejects(enter('e', raised), { code: 'ERR_RUN_LIMIT', message: /100 tokens/ });
});

test('what a run used before the gateway started counts', async () => {
  const { database, caller, guard } = await guarded({ ...LIMITS, callsPerRun: 1 });
  await using _ = database;
  await database.pool.query(
    `insert into model_call (run, task, project, protocol, model_asked, model_served, input_tokens, cached_tokens,
       output_tokens, usage_source, price, cost_micros, status, outcome, total_ms)
     values ($1, $2, $3, 'chat', '', '', 1, 0, 1, 'upstream', '{}', 0, 200, 'ok', 1)`,
    [caller.run, caller.task, caller.project],
  );
  await assert.rejects(guard.enter(caller, 'chat', bytes('a'), {}), { code: 'ERR_RUN_LIMIT' });
});

test('the same request is refused when it was answered so often in a row, not when it failed', async () => {
  const { database, caller, guard } = await guarded({ ...LIMITS, callsPerRun: 100 });
  await using _ = database;
  const ask = async (text: string, ok: boolean) => {
    const { cause, leave } = await guard.enter(caller, 'chat', bytes(text), {});
    leave(NOTHING, ok);
    return cause;
  };
  assert.deepEqual(
    [await ask('a', false), await ask('a', false), await ask('a', true)],
    ['agent', 'retry', 'retry'],
  );
  await ask('b', true);
  assert.equal(await ask('a', true), 'agent');
  await ask('a', true);
  await assert.rejects(ask('a', true), { code: 'ERR_LOOP', status: 403, message: /same request 2 times/ });
  await ask('c', true);
});

const call = (args: string) => ({
  chat: [
    { role: 'assistant', tool_calls: [{ function: { name: 'run', arguments: args } }] },
    { role: 'tool', content: 'x' },
  ],
  messages: [
    { role: 'assistant', content: [{ type: 'tool_use', name: 'run', input: { args } }] },
    { role: 'user', content: [{ type: 'tool_result', content: 'x' }] },
  ],
  responses: [
    { type: 'function_call', name: 'run', arguments: args },
    { type: 'function_call_output', output: 'x' },
  ],
});

for (const protocol of ['chat', 'messages', 'responses'] as const) {
  const body = (...args: (string | null)[]) => ({
    [protocol === 'responses' ? 'input' : 'messages']: [
      { role: 'user', content: 'do it' },
      ...args.flatMap((text): object[] =>
        text === null ? [{ role: 'user', content: 'again' }] : call(text)[protocol],
      ),
    ],
  });
  test(`${protocol}: the same tool call at the end of the conversation is counted`, () => {
    const times = (...args: (string | null)[]) =>
      repeatedCall(protocol satisfies Protocol, body(...args), 10);
    assert.deepEqual(times('a', 'a', 'a'), ['run', 3]);
    assert.deepEqual(times('a', 'a', 'b'), ['run', 1]);
    assert.deepEqual(times('b', 'a', 'a'), ['run', 2]);
    assert.deepEqual(times('a', 'a', null, 'a'), ['run', 1]);
    assert.deepEqual(times(), ['', 0]);
  });

  test(`${protocol}: a tool called so with the same arguments again and again is a loop`, async () => {
    const { database, caller, guard } = await guarded();
    await using _ = database;
    await guard.enter(caller, protocol, bytes('1'), body('a', 'a'));
    await assert.rejects(guard.enter(caller, protocol, bytes('2'), body('a', 'a', 'a')), {
      code: 'ERR_LOOP',
      message: /tool run with the same arguments 3 times/,
    });
  });
}
