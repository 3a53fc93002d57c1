// Reports as files: what people and spreadsheets open, whatever names and however many rows there are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UsageReport, UsageRow } from '../../protocol/budget.ts';
import { reportText } from './report-file.ts';

function row(key: string, money: number): UsageRow {
  const tokens = { inputTokens: 1000, cachedTokens: 400, outputTokens: 50, reasoningTokens: 5 };
  return { key, calls: 3, ...tokens, money, platformMoney: 0, gpu: 1_500 };
}

function report(rows: UsageRow[], more: Partial<UsageReport> = {}): UsageReport {
  const total = { ...row('', 4_000_000) };
  return {
    from: '2025-03-30',
    to: '2025-03-31',
    by: 'project',
    project: null,
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
    madeAt: '2025-04-01T05:00:00.000Z',
    rows,
    days: [
      { day: '2025-03-30', money: 0 },
      { day: '2025-03-31', money: 4_000_000 },
    ],
    total,
    previous: { from: '2025-03-28', to: '2025-03-29', total: { ...total, money: 2_000_000 } },
    forecast: null,
    merged: { changes: 2, money: 2_000_000, over: [] },
    idle: [],
    dearest: [],
    ...more,
  };
}

const IDLE = { engine: 'gpu', gpus: 2, busy: 3_600_000, idle: 7_200_000, money: 6_000_000 };
/** Elements whose end the page writes itself. */
const CLOSED = [
  'title',
  'style',
  'h1',
  'h2',
  'p',
  'dl',
  'dt',
  'dd',
  'small',
  'figure',
  'svg',
  'text',
  'table',
];

test('the page needs nothing from elsewhere, runs nothing, and closes what it opens; names are text', () => {
  const hostile = '<script>alert("1")</script>&\'';
  const page = reportText(report([row(hostile, 4_000_000), row('', 1)], { idle: [IDLE] }), 'html');
  assert.doesNotMatch(page, /<script|<link|<img|<iframe|\bsrc=|\bhref=|url\(|@import|https?:|javascript:/);
  assert.equal(page.split('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;').length - 1, 2);
  for (const element of CLOSED) {
    const opened = page.match(new RegExp(`<${element}[ >]`, 'g'))?.length ?? 0;
    assert.ok(opened > 0, element);
    assert.equal(page.split(`</${element}>`).length - 1, opened, element);
  }
  assert.match(page, /@media print/);
  assert.match(page, /Idle GPUs<\/dt><dd>6\.00 EUR/);
  assert.match(page, /<tr><td>gpu<td>2<td>1\.00 h<td>2\.00 h<td>6\.00 EUR/);
  assert.match(page, /before: 2\.00 EUR \(\+100 %\)/);
});

test('long names are cut in the plot alone, between characters; ten thousand rows are all in the table', () => {
  const long = '🦊'.repeat(60);
  const rows = [
    row(long, 9e9),
    ...Array.from({ length: 9_999 }, (_, index) => row(`p${index}`, 10_000 - index)),
  ];
  const page = reportText(report(rows), 'html');
  assert.ok(page.includes(`<td>${long}<td>`));
  assert.ok(page.includes(`>${'🦊'.repeat(44)}…</text>`));
  assert.ok(page.isWellFormed());
  assert.equal(page.split('<tr><td>').length - 1, 10_000);
  assert.match(page, /The 15 dearest of 10000\./);
  assert.ok(page.length < 2_000_000, `${page.length} characters`);
});

test('a page of nothing says so in numbers; years are named where the days are of more than one', () => {
  const days = Array.from({ length: 400 }, (_, index) => ({
    day: new Date(Date.UTC(2025, 0, 1 + index)).toISOString().slice(0, 10),
    money: 0,
  }));
  const empty = reportText(report([], { days, merged: { changes: 0, money: null, over: [] } }), 'html');
  assert.match(empty, /Merged changes<\/dt><dd>0<small>none/);
  assert.match(empty, />2025-12<\/text>/);
  assert.doesNotMatch(empty, /NaN|Infinity|undefined|Idle/);
});

test('CSV: numbers without separators, no cell is a formula, one table', () => {
  const text = reportText(report([row('=cmd()', 4_000_000), row('a,"b"', 1)], { idle: [IDLE] }), 'csv');
  assert.deepEqual(text.split('\r\n'), [
    'project,calls,input_tokens,cached_tokens,output_tokens,reasoning_tokens,cost,platform_cost,gpu_seconds,currency',
    "'=cmd(),3,1000,400,50,5,4.000000,0.000000,1.500,EUR",
    '"a,""b""",3,1000,400,50,5,0.000001,0.000000,1.500,EUR',
    '',
  ]);
  assert.deepEqual(JSON.parse(reportText(report([], { idle: [IDLE] }), 'json')).idle, [IDLE]);
});
