// How events change the columns, and which priority a dropped card gets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Board, BoardColumn, Card } from '../../../protocol/board.ts';
import { patched, priorityBetween, withPage } from './board-data.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString();
const card = (id: number, column: BoardColumn, more: Partial<Card> = {}) =>
  ({ id, column, title: `t${id}`, priority: 0, place: at(id), createdAt: at(id), ...more }) as Card;
const board = (columns: Partial<Record<BoardColumn, [count: number, cards: Card[]]>>): Board => ({
  priorityMinutes: 10,
  columns: Object.entries(columns).map(([column, [count, cards]]) => ({
    column: column as BoardColumn,
    count,
    cards,
  })),
});
const shown = ({ columns }: Board) =>
  Object.fromEntries(columns.map(({ column, cards }) => [column, cards.map(({ id }) => id)]));

test('a task that moved leaves its column and takes its place in the other', () => {
  const old = board({
    queued: [3, [card(1, 'queued'), card(2, 'queued'), card(5, 'queued')]],
    running: [1, [card(4, 'running')]],
    done: [0, []],
  });
  const next = patched(
    old,
    [1, 4],
    [card(1, 'running'), card(4, 'done')],
    board({ queued: [2, []], running: [1, []], done: [1, []] }),
  );
  assert.deepEqual(shown(next), { queued: [2, 5], running: [1], done: [4] });
  assert.deepEqual(
    next.columns.map(({ count }) => count),
    [2, 1, 1],
  );
  const raised = patched(
    next,
    [5],
    [card(5, 'queued', { place: at(0) })],
    board({ queued: [2, []], running: [1, []], done: [1, []] }),
  );
  assert.deepEqual(shown(raised).queued, [5, 2]);
  assert.equal(raised.columns[1], next.columns[1], 'what did not change is the same object');
});

test('a task that the filter keeps out, or that is gone, leaves the board', () => {
  const old = board({ done: [2, [card(9, 'done'), card(8, 'done')]] });
  assert.deepEqual(shown(patched(old, [9], [], board({ done: [1, []] }))), { done: [8] });
});

test('one that belongs below what was loaded waits for its page, which brings none twice', () => {
  const old = board({ done: [500, [card(90, 'done'), card(80, 'done')]] });
  const next = patched(old, [20, 85], [card(20, 'done'), card(85, 'done')], board({ done: [501, []] }));
  assert.deepEqual(shown(next).done, [90, 85, 80]);
  const more = withPage(next, 'done', [card(80, 'done'), card(70, 'done')]);
  assert.deepEqual(shown(more).done, [90, 85, 80, 70]);
  assert.equal(withPage(more, 'done', []).columns[0]?.count, 4);
});

test('a card that is dropped gets the priority that puts it there, as near to its own as can be', () => {
  const [first, second, third] = [card(0, 'queued'), card(25, 'queued'), card(50, 'queued')];
  assert.equal(priorityBetween(third, undefined, first, 10), 6, 'to the top: 60 minutes before minute 50');
  assert.equal(priorityBetween(third, first, second, 10), 3);
  assert.equal(priorityBetween(first, second, third, 10), -3);
  assert.equal(priorityBetween(first, third, undefined, 10), -6);
  assert.equal(priorityBetween(second, first, third, 10), 0, 'where it stands already');
  assert.equal(priorityBetween(card(2000, 'queued'), undefined, first, 10), 100, 'not more than there is');
});
