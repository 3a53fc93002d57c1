import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { testApi, type TestApi } from './testing.ts';

/** An open stream of events, once it has begun. */
async function stream(api: TestApi, headers: Record<string, string>): Promise<IncomingMessage> {
  if (!api.app.server.listening) await api.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = api.app.server.address() as { port: number };
  const request = get(`http://127.0.0.1:${port}/api/v1/events`, {
    headers: { accept: 'text/event-stream', ...headers },
  });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  response.on('error', () => {}); // it is cut off
  return response.resume();
}

const closed = (response: IncomingMessage) => new Promise((resolve) => response.once('close', resolve));

const person = async (api: TestApi, name: string) => {
  const made = await api.send('admin', 'POST', '/api/v1/people', { name, role: 'operator' });
  const code = made.body.link.url.split('/').at(-1);
  const answer = await api.send(null, 'POST', '/api/v1/welcomes', {
    code,
    password: 'long enough to be one',
  });
  return { cookie: String(answer.headers['set-cookie']).split(';')[0]!, session: answer.body.session };
};

test('open streams end when the person is disabled, gets other rights, or the token is revoked; those of others go on', async () => {
  await using api = await testApi();
  const [ann, bob, cid] = [await person(api, 'ann'), await person(api, 'bob'), await person(api, 'cid')];
  const token = (await api.send('admin', 'POST', '/api/v1/tokens', { name: 't', role: 'viewer' })).body;
  const [anns, bobs, cids, tokens] = [
    await stream(api, { cookie: ann.cookie }),
    await stream(api, { cookie: bob.cookie }),
    await stream(api, { cookie: cid.cookie }),
    await stream(api, { authorization: `Bearer ${token.token}` }),
  ];
  const ended = [anns, bobs, tokens].map(closed);
  await api.send('admin', 'PATCH', '/api/v1/people/ann', { disabled: true });
  await api.send('admin', 'PATCH', '/api/v1/people/bob', { role: 'viewer' });
  await api.send('admin', 'DELETE', `/api/v1/tokens/${token.id}`);
  await Promise.all(ended);
  assert.equal(cids.destroyed, false);
  const over = closed(cids);
  await api.send('admin', 'DELETE', `/api/v1/sessions/${cid.session}`);
  await over;
});
