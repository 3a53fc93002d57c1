// Before a stand-in for the dashboard; what a real one does is in test/integration/ray-serve.test.ts.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { rayClient } from './ray-serve-client.ts';
import type { ApplicationConfig } from './ray-serve-client.ts';

interface Asked {
  method: string;
  path: string;
  body: string;
}

/** Answers as `answer` says; null leaves the request without an answer. */
async function dashboard(answer: (asked: Asked) => [number, unknown] | null) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    asked.push({ method: request.method!, path: request.url!, body });
    const [status, content] = answer(asked.at(-1)!) ?? [0];
    if (status !== 0)
      response.writeHead(status).end(typeof content === 'string' ? content : JSON.stringify(content));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    asked,
    client: rayClient({ address, serveUrl: 'http://127.0.0.1:18200' }),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const running = (config: ApplicationConfig | null, status = 'RUNNING') => ({
  status,
  deployed_app_config: config,
  deployments: {},
});

test('a declaration keeps what others declared, and how Serve listens', async () => {
  const applications = {
    theirs: running({ name: 'theirs', import_path: 'x:y', args: { a: [1] } }),
    imperative: running(null),
    going: running({ name: 'going', import_path: 'x:y' }, 'DELETING'),
  };
  const http = { host: '0.0.0.0', port: 9000, keep_alive_timeout_s: 90 };
  const details = { proxy_location: 'HeadOnly', http_options: http, target_capacity: 50, applications };
  await using fake = await dashboard(({ method }) => (method === 'GET' ? [200, details] : [200, '']));
  await fake.client.declare((all) => [...all, { name: 'ours' }]);
  assert.deepEqual(JSON.parse(fake.asked[1]!.body), {
    proxy_location: 'HeadOnly',
    http_options: http,
    target_capacity: 50,
    applications: [{ name: 'theirs', import_path: 'x:y', args: { a: [1] } }, { name: 'ours' }],
  });
});

test('the first declaration says where Serve is to listen', async () => {
  await using fake = await dashboard(() => [200, { applications: {} }]);
  await fake.client.declare(() => []);
  const told = JSON.parse(fake.asked[1]!.body) as { http_options: object };
  assert.deepEqual(told.http_options, { host: '127.0.0.1', port: 18_200 });
});

test('declarations of the same moment do not lose each other, also when one of them fails', async () => {
  let declared: ApplicationConfig[] = [];
  let refuse = true;
  await using fake = await dashboard(({ method, body }) => {
    if (method === 'GET')
      return [
        200,
        { applications: Object.fromEntries(declared.map((config) => [config.name, running(config)])) },
      ];
    if (refuse) {
      refuse = false;
      return [400, 'ValidationError: num_replicas'];
    }
    declared = (JSON.parse(body) as { applications: ApplicationConfig[] }).applications;
    return [200, ''];
  });
  const add = async (name: string) => await fake.client.declare((all) => [...all, { name }]);
  const [first, ...others] = await Promise.allSettled([add('a'), add('b'), add('c'), add('d')]);
  assert.equal(first.status, 'rejected');
  assert.ok(others.every(({ status }) => status === 'fulfilled'));
  assert.deepEqual(
    declared.map(({ name }) => name),
    ['b', 'c', 'd'],
  );
});

test('code is uploaded once', async () => {
  const there = new Set<string>();
  await using fake = await dashboard(({ method, path }) => {
    if (method === 'PUT') there.add(path);
    return there.has(path) ? [200, ''] : [404, 'Package does not exist'];
  });
  for (let times = 0; times < 2; times++)
    assert.equal(await fake.client.upload('_ray_pkg_a.zip', Buffer.from('zip')), 'gcs://_ray_pkg_a.zip');
  assert.deepEqual(
    fake.asked.map(({ method }) => method),
    ['GET', 'PUT', 'GET'],
  );
});

test('every way in which a cluster does not do what it is asked has its remedy', async () => {
  const cases: [[number, string], RegExp, RegExp][] = [
    [[200, '<html>Grafana</html>'], /is not the dashboard of a Ray cluster/, /port 8265/],
    [[200, '{"a":1}'], /is not the dashboard of a Ray cluster/, /models\.local\.ray\.address/],
    [[404, 'Not Found'], /answers 404: Not Found/, /port 8265/],
    [[501, 'Serve dependencies are not installed.'], /answers 501/, /pip install "ray\[serve\]"/],
    [[503, 'The GCS may be down, please retry later'], /answers 503: The GCS may be down/, /asked again/],
    [
      [400, 'ValidationError(\n  num_replicas\n)'],
      /answers 400: ValidationError\( num_replicas \)/,
      /Mend the entry/,
    ],
  ];
  for (const [answer, message, remedy] of cases) {
    await using fake = await dashboard(() => answer);
    await assert.rejects(fake.client.applications(), { code: 'ERR_ENGINE_UNAVAILABLE', message, remedy });
  }
  const gone = await dashboard(() => null);
  await gone[Symbol.asyncDispose]();
  await assert.rejects(gone.client.applications(), {
    message: /does not answer: connect ECONNREFUSED/,
    remedy: /ray start --head/,
  });
  assert.equal(await gone.client.isGone(), true);
});

test('a dashboard that hangs holds nobody who goes', async () => {
  await using fake = await dashboard(() => null);
  const leaving = new AbortController();
  const asking = fake.client.applications(leaving.signal);
  leaving.abort(new Error('enough'));
  await assert.rejects(asking, { message: 'enough' });
  await using answers = await dashboard(() => [200, { applications: {} }]);
  assert.equal(await answers.client.isGone(), false);
});
