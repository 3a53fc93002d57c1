import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageName, windowTitle } from './page-name.ts';

test('a page is called by its address', () => {
  const names = {
    '/': 'Board',
    '/review': 'Review',
    '/inbox/rules': 'Inbox',
    '/tasks/12': 'Task 12',
    '/runs/12-1/log': 'Log of 12-1',
    '/incidents': 'Incidents',
    '/incidents/3': 'Incident 3',
    '/nowhere': 'Autocode',
  };
  for (const [address, name] of Object.entries(names)) assert.equal(pageName(address), name, address);
});

test('the title of the window begins with what is unread', () => {
  assert.equal(windowTitle('Board', 0), 'Board · Autocode');
  assert.equal(windowTitle('Board', 3), '(3) Board · Autocode');
  assert.equal(windowTitle('Autocode', 1), '(1) Autocode');
});
