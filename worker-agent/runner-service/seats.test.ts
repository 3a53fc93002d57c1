// Who may claim on a machine at a time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RUNNER_PROTOCOL } from './protocol.ts';
import { seats } from './seats.ts';

const claimer = (worker: string, once = false) => ({
  protocol: RUNNER_PROTOCOL,
  worker,
  version: '1.0.0',
  allocation: null,
  once,
});

test('one lasting claimer has the machine, claimers for single runs come beside it', () => {
  const taken = seats();
  const seat = taken.take(claimer('w1'));
  assert.throws(() => taken.take(claimer('w2')), { code: 'ERR_CONFLICT', message: /worker w1/ });
  taken.take(claimer('run-1', true));
  taken.take(claimer('run-2', true));
  assert.throws(() => taken.take(claimer('run-2', true)), { code: 'ERR_CONFLICT', message: /worker run-2/ });
  assert.equal(taken.workerIn(seat), 'w1');
  taken.free(seat);
  assert.throws(() => taken.workerIn(seat), { code: 'ERR_DAEMON_NOT_RUNNING' });
  taken.take(claimer('w2'));
});

test('a claimer of another version of the protocol is refused with what to do', () => {
  assert.throws(() => seats().take({ ...claimer('w1'), protocol: RUNNER_PROTOCOL + 1 }), {
    code: 'ERR_PROTOCOL_VERSION',
    remedy: /autocode-runner.service/,
  });
});
