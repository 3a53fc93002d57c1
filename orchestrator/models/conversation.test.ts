import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalisedOpening, taskLine, workingDirectory } from './conversation.ts';

const said = (setting: string, opening = '') => ({ setting, opening, turn: 0, tools: [] });

test('the working directory is found as each agent writes it', () => {
  const lines: [string, string | undefined][] = [
    ['Environment:\n - Primary working directory: /workspace\n - Is a git repository: true', '/workspace'],
    ['Working directory: /tmp/a b/c\nPlatform: linux', '/tmp/a b/c'],
    ['<environment_context>\n  <cwd>/home/me/x</cwd>\n</environment_context>', '/home/me/x'],
    ["I'm currently working in the directory: /tmp/w/\nHere is the folder structure", '/tmp/w'],
    ['The current working directory is `/srv/app`.', '/srv/app'],
    ['Your working directory is /var/lib/runs/1-1/tree.', '/var/lib/runs/1-1/tree'],
    ['Working directory: /\n', '/'],
    ['It works in its directory.', undefined],
  ];
  for (const [text, directory] of lines) {
    assert.equal(workingDirectory(said(text)), directory, text);
    assert.equal(workingDirectory(said('', text)), directory, text);
  }
});

test('the system prompt is believed before what users write', () => {
  assert.equal(workingDirectory(said('Working directory: /true', 'Working directory: /etc')), '/true');
});

test('the task line is a line of its own', () => {
  assert.equal(taskLine(said('', 'Plan this.\nTask: greet all \nmore')), 'Task: greet all');
  assert.equal(taskLine(said('', 'My Task: none')), undefined);
});

test('what changes from run to run is not part of the opening', () => {
  const one = said(
    'Working directory: /one',
    '<system-reminder>\nMonday\n</system-reminder> Look  into /one/a\n',
  );
  const two = said('Working directory: /two', 'Look into\n/two/a');
  assert.equal(normalisedOpening(one), normalisedOpening(two));
});
