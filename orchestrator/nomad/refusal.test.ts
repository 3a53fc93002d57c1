import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobMistake, refusal, unreachable } from './refusal.ts';

const REQUEST = { address: 'https://n:4646', method: 'POST', path: 'job/w/plan', needs: 'submit-job' };

test('each refusal has the code that says what to do', () => {
  const cases: [number, string, string, RegExp?][] = [
    [403, 'Permission denied', 'ERR_NOMAD_DENIED', /submit-job/],
    [404, 'job not found', 'ERR_NOT_FOUND'],
    [
      500,
      'Enforcing job modify index 3: job exists with conflicting job modify index: 9',
      'ERR_CONFLICT',
      /again/,
    ],
    [409, 'cas error: requested index 1; found index 4', 'ERR_CONFLICT'],
    [500, 'No cluster leader', 'ERR_NOMAD_UNAVAILABLE', /servers/],
    [503, '', 'ERR_NOMAD_UNAVAILABLE'],
    [400, 'Client sent an HTTP request to an HTTPS server.', 'ERR_NOMAD_UNAVAILABLE', /https:/],
    [500, '1 error occurred:\n* Missing job datacenters', 'ERR_NOMAD_REFUSED'],
  ];
  for (const [status, words, code, remedy] of cases) {
    const error = refusal(REQUEST, status, words);
    assert.equal(error.code, code, words);
    if (remedy !== undefined) assert.match(error.remedy ?? '', remedy);
  }
  assert.match(refusal(REQUEST, 403, 'Permission denied', false).message, /does not know the token/);
});

test('that Nomad is not reached keeps the reason, and nothing of the request', () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED'), {
    code: 'ECONNREFUSED',
    options: { token: 'x' },
  });
  const error = unreachable('https://n:4646', cause);
  assert.equal((error.cause as Error).message, 'ECONNREFUSED: connect ECONNREFUSED');
  assert.equal('options' in (error.cause as Error), false);
  const certificate = Object.assign(new Error('unable to verify'), {
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  });
  assert.match(unreachable('https://n:4646', certificate).remedy ?? '', /nomad\.caFile/);
});

test('mistakes of a job file are told by line and column, all of them', () => {
  const words =
    'Failed to parse job: input.hcl:5,5-10: Unsupported argument; x.\ninput.hcl:9,1-1: Missing name; y.';
  const { message, details } = jobMistake('jobs/w.hcl', words);
  assert.match(message, /jobs\/w\.hcl:5:5: Unsupported argument; x\.\n +jobs\/w\.hcl:9:1: Missing name; y\./);
  assert.deepEqual((details as { mistakes: object[] }).mistakes.length, 2);
});
