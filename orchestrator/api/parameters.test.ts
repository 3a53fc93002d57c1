import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorBody } from '../../protocol/errors.ts';
import { testApi } from './testing.ts';

// What is not the text, the number or the place that it should be, and the field that the answer names.
const REFUSED: [what: string, method: 'GET' | 'POST' | 'PATCH', url: string, body: unknown, names: string][] =
  [
    ['NUL in a title', 'POST', '/tasks', { project: 'p', title: 'a\0b' }, 'title'],
    [
      'NUL in a list',
      'POST',
      '/tasks',
      { project: 'p', title: 'a', acceptance: ['fine', 'a\0'] },
      'acceptance.1',
    ],
    ['half a surrogate pair', 'POST', '/tasks', '{"project": "p", "title": "a", "body": "\\ud800"}', 'body'],
    ['a title of blanks', 'POST', '/tasks', { project: 'p', title: '  ' }, 'title'],
    [
      'an integer that no double holds',
      'POST',
      '/tasks',
      '{"project": "p", "title": "a", "priority": 99999999999999999999}',
      'priority',
    ],
    ['infinity', 'PATCH', '/projects/p', '{"limits": {"deadlineMinutes": 1e999}}', 'deadlineMinutes'],
    ['NUL in a command', 'PATCH', '/projects/p', { agentCommand: ['sh', '\0'] }, 'agentCommand.1'],
    ['a number in hexadecimal', 'GET', '/tasks/0x10', undefined, 'task'],
    ['a number in exponents', 'GET', '/tasks/1e3', undefined, 'task'],
    ['a number that is too large', 'GET', '/tasks/99999999999999999', undefined, 'task'],
    ['an empty number', 'GET', '/tasks?limit=', undefined, 'limit'],
    ['a parameter that comes twice', 'GET', '/tasks?limit=1&limit=2', undefined, 'limit'],
    ['a slash in a name', 'GET', '/projects/a%2Fb', undefined, 'project'],
    ['a way up in a name', 'GET', '/projects/..%2f..%2fetc', undefined, 'project'],
    ['NUL in a path', 'GET', '/projects/a%00', undefined, 'project'],
    ['an escape that is none', 'GET', '/projects/%ZZ', undefined, 'ZZ'],
    [
      'a cursor beyond all numbers',
      'GET',
      '/events?after=99999999999999999999-1',
      undefined,
      '99999999999999999999-1',
    ],
    ['a prototype', 'POST', '/tasks', '{"__proto__": {"admin": true}}', 'JSON'],
    ['a name that is endless', 'GET', `/projects/${'a'.repeat(600)}`, undefined, 'aaaa'],
  ];
test('what cannot be is refused with 400, naming it', async (t) => {
  await using api = await testApi();
  for (const [what, method, url, body, names] of REFUSED) {
    await t.test(what, async () => {
      const headers: Record<string, string> =
        body === undefined ? {} : { 'content-type': 'application/json' };
      const answer = await api.send('operator', method, `/api/v1${url}`, body as string, headers);
      assert.equal(answer.status, 400, answer.text);
      const { message, requestId } = ErrorBody.parse(answer.body).error;
      assert.ok(message.includes(names), message);
      assert.equal(requestId, answer.headers['x-request-id']);
    });
  }
  await t.test('a body that is not UTF-8', async () => {
    const latin1 = Buffer.from('{"project": "p", "title": "\xfc"}', 'latin1');
    const answer = await api.send('operator', 'POST', '/api/v1/tasks', latin1, {
      'content-type': 'application/json; charset=latin1',
    });
    assert.equal(answer.body.error.code, 'ERR_BODY_NOT_JSON', answer.text);
  });
  await t.test('a cursor that is none, before a stream has begun', async () => {
    const answer = await api.send('viewer', 'GET', '/api/v1/events', undefined, {
      accept: 'text/event-stream',
      'last-event-id': '99999999999999999999-1',
    });
    assert.equal(answer.status, 400);
  });
});

test('text of any language is stored as it came', async () => {
  await using api = await testApi();
  await api.send('admin', 'POST', '/api/v1/projects', {
    name: 'p',
    trusted: true,
    agent: 'command',
    agentCommand: ['true'],
  });
  const title = 'żółć 👩‍👩‍👧 \u202e\u200b\ufffe';
  const { body, text } = await api.send('admin', 'POST', '/api/v1/tasks', { project: 'p', title });
  assert.equal(body.title, title, text);
});
