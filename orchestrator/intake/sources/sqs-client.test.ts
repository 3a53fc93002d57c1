// Credentials of a queue and its refusals, as AWS words them, from a server that answers as AWS does.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Trust } from '../../../protocol/intake.ts';
import type { Source, SourceDeps } from '../source.ts';
import { sqs } from './sqs.ts';
import { SqsSettings } from './sqs-settings.ts';

/** Runs `receive` against a server with this answer, to its end. */
async function refusalOf(
  status: number,
  type: string,
  credentials = 'AKIAEXAMPLE:secret',
  settings: object = {},
) {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ __type: type, message: 'as AWS says' }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const read = SqsSettings.parse({ queue: `${endpoint}/1/q`, endpoint, region: 'eu-west-1', ...settings });
  const source: Source<SqsSettings> = {
    name: 'queue',
    kind: 'sqs',
    project: null,
    trust: Trust.parse({}),
    settings: read,
  };
  const secret = async () => await Promise.resolve(credentials);
  const deps = { secret, log: { info: () => {}, warn: () => {} } } as unknown as SourceDeps; // a queue needs no more
  try {
    const error = await sqs.receive!(source, async () => {}, deps, new AbortController().signal).then(
      () => assert.fail('it went on'),
      (reason: unknown) => reason,
    );
    const [check] = await sqs.test!(source, deps, new AbortController().signal);
    assert.ok(error instanceof AutocodeError && check !== undefined && !check.ok);
    assert.ok(check.detail.startsWith(error.message), check.detail);
    return error;
  } finally {
    server.closeAllConnections();
    await once(server.close(), 'close');
  }
}

test('a queue that is not there, and credentials that are not accepted, are told as such', async () => {
  const cases: [number, string, string, RegExp][] = [
    [
      400,
      'com.amazonaws.sqs#QueueDoesNotExist',
      'ERR_SOURCE_UNAVAILABLE',
      /There is no queue .*\/1\/q in eu-west-1/,
    ],
    [
      403,
      'com.amazon.coral.service#InvalidClientTokenId',
      'ERR_SOURCE_DENIED',
      /refuses the secret intake-queue: as AWS says/,
    ],
    [403, 'com.amazon.coral.service#UnrecognizedClientException', 'ERR_SOURCE_DENIED', /refuses the secret/],
    [403, 'SignatureDoesNotMatch', 'ERR_SOURCE_DENIED', /refuses the secret/],
    [403, 'com.amazon.coral.service#AccessDeniedException', 'ERR_SOURCE_DENIED', /refuses the secret/],
    [400, 'com.amazonaws.sqs#InvalidAddress', 'ERR_SOURCE_UNAVAILABLE', /There is no queue/],
    [400, 'com.amazonaws.sqs#UnsupportedOperation', 'ERR_SOURCE_UNAVAILABLE', /cannot be asked: as AWS says/],
  ];
  for (const [status, type, code, message] of cases) {
    const error = await refusalOf(status, type);
    assert.equal(error.code, code, type);
    assert.match(error.message, message);
  }
});

test('a secret that has no credentials in it is told before anybody is asked', async () => {
  for (const value of ['', 'AKIAEXAMPLE', 'AKIA EXAMPLE:x', ':x'])
    assert.equal((await refusalOf(200, 'never', value)).code, 'ERR_SECRET', value);
  const named = await refusalOf(403, 'AccessDenied', 'AKIAEXAMPLE:secret:token', { credentials: 'aws-lab' });
  assert.match(named.message, /the secret aws-lab/);
});
