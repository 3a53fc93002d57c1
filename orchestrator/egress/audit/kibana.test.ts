// Against a server that wants what the documentation of Kibana's API for saved objects says.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { buffer } from 'node:stream/consumers';
import { importSavedObjects, SAVED_OBJECTS } from './kibana.ts';

/** What was sent: the file, null where there is none, and its text. */
type Answers = (request: IncomingMessage, file: File | null, text: string) => [number, unknown];

async function kibana(t: TestContext, answers: Answers) {
  const server = createServer(async (request, response) => {
    const body = new Uint8Array(await buffer(request));
    const headers = { 'content-type': request.headers['content-type'] ?? '' };
    const form = await new Response(body, { headers }).formData().catch(() => null);
    const sent = form?.get('file');
    const file = sent instanceof File ? sent : null;
    const [status, document] = answers(request, file, (await file?.text()) ?? '');
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, authorization: 'ApiKey abc', caFile: undefined };
}

test('all objects go in one file, over what is there, with the header that Kibana asks for', async (t) => {
  const wanted = readFileSync(SAVED_OBJECTS, 'utf8');
  const address = await kibana(t, ({ method, url, headers }, file, text) => {
    const fine =
      `${method} ${url}` === 'POST /api/saved_objects/_import?overwrite=true' &&
      headers['kbn-xsrf'] !== undefined &&
      headers.authorization === 'ApiKey abc' &&
      file?.name.endsWith('.ndjson') === true &&
      text === wanted;
    if (!fine) return [400, { statusCode: 400, error: 'Bad Request', message: 'no' }];
    return [200, { success: true, successCount: 13, warnings: [], successResults: [] }];
  });
  assert.equal(await importSavedObjects(address), 13);
});

test('what Kibana does not take, whom it does not permit, and what is no Kibana is told', async (t) => {
  for (const [status, document, expected] of [
    [
      200,
      {
        success: false,
        successCount: 12,
        errors: [{ id: 'x', type: 'search', error: { type: 'missing_references' } }],
      },
      { code: 'ERR_ELASTICSEARCH_REFUSED', message: /x \(missing_references\)/ },
    ],
    [401, {}, { code: 'ERR_ELASTICSEARCH_DENIED' }],
    [503, {}, { code: 'ERR_ELASTICSEARCH_REFUSED', message: /answers 503/ }],
    [200, { tagline: 'You Know, for Search' }, { code: 'ERR_ELASTICSEARCH_REFUSED', message: /no Kibana/ }],
  ] as const)
    await assert.rejects(importSavedObjects(await kibana(t, () => [status, document])), expected);
  const nobody = { url: 'http://127.0.0.1:1', authorization: undefined, caFile: undefined };
  await assert.rejects(importSavedObjects(nobody), { code: 'ERR_ELASTICSEARCH_UNAVAILABLE' });
});
