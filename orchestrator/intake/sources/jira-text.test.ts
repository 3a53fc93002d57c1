import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainText } from './jira-text.ts';

const doc = (...content: object[]) => ({ type: 'doc', version: 1, content });
const text = (value: string, ...marks: object[]) => ({
  type: 'text',
  text: value,
  ...(marks.length > 0 && { marks }),
});
const node = (type: string, ...content: object[]) => ({ type, content });

test('a document of the Atlassian format is read as text', () => {
  const item = (value: string) => node('listItem', node('paragraph', text(value)));
  const cases: [object, string][] = [
    [doc(node('paragraph', text('one')), node('paragraph', text('two'))), 'one\n\ntwo'],
    [doc(node('heading', text('Steps')), node('bulletList', item('a'), item('b'))), 'Steps\n\n- a\n- b'],
    [
      doc(node('orderedList', node('listItem', node('paragraph', text('a')), node('bulletList', item('b'))))),
      '- a\n\n  - b',
    ],
    [doc(node('codeBlock', text('if (a) {\n  b();\n}'))), 'if (a) {\n  b();\n}'],
    [doc(node('paragraph', text('a'), { type: 'hardBreak' }, text('b'))), 'a\nb'],
    [
      doc(node('paragraph', text('here', { type: 'link', attrs: { href: 'https://x.example' } }))),
      'here (https://x.example)',
    ],
    [
      doc(node('paragraph', { type: 'mention', attrs: { id: '1', text: '@autocode' } }, text(' please'))),
      '@autocode please',
    ],
    [
      doc(node('paragraph', { type: 'inlineCard', attrs: { url: 'https://x.example/1' } })),
      'https://x.example/1',
    ],
    [doc(node('paragraph', { type: 'date', attrs: { timestamp: '1577836800000' } })), '2020-01-01'],
    [
      doc(
        node(
          'table',
          node(
            'tableRow',
            node('tableHeader', node('paragraph', text('k'))),
            node('tableCell', node('paragraph', text('v'))),
          ),
        ),
      ),
      'k | v |',
    ],
    [doc({ type: 'from the future', content: [node('paragraph', text('kept'))] }), 'kept'],
    [doc({ type: 'media', attrs: { id: '1' } }), ''],
  ];
  for (const [document, expected] of cases) assert.equal(plainText(document), expected);
});

test('wiki markup is read as text, code stays as it is', () => {
  const cases: [string, string][] = [
    ['h2. Steps\r\n* one\r\n** two\r\n# three', 'Steps\n- one\n- two\n- three'],
    ['*bold* and _slanted_, {{mono}}', 'bold and slanted, mono'],
    ['2 * 3 * 4 and snake_case_name', '2 * 3 * 4 and snake_case_name'],
    [
      'see [the page|https://x.example] and [https://y.example]',
      'see the page (https://x.example) and https://y.example',
    ],
    ['{quote}said{quote} {color:red}red{color}', 'said red'],
    ['a {code:java}\n* not a list *x*\n{code} b', 'a \n* not a list *x*\n b'],
    ['||a||b||', 'a | b'],
    ['[~accountid:5b10] please', '[~accountid:5b10] please'],
  ];
  for (const [markup, expected] of cases) assert.equal(plainText(markup), expected);
});

test('what is no text is none, however odd or deep it is', () => {
  let deep: object = text('x');
  for (let count = 0; count < 5000; count++) deep = node('paragraph', deep);
  for (const value of [
    null,
    undefined,
    7,
    [],
    {},
    { type: 'doc', content: 'x' },
    { content: [null, 1] },
    deep,
  ])
    assert.equal(plainText(value), '');
});

test('the time that a text takes grows with its length, not with its square', () => {
  const started = performance.now();
  const units = [
    '*a ',
    '_a ',
    '[a|',
    '[https:',
    '{code}',
    '{code:',
    '{quote:',
    '{{a',
    '||',
    '(*',
    '*',
    ' ',
    'h1.',
    '\n',
  ];
  for (const unit of units) {
    const long = unit.repeat(200_000 / unit.length);
    plainText(long);
    plainText(doc(node('paragraph', text(`${long}x`)), node('codeBlock', text(`${long}x`))));
  }
  assert.ok(performance.now() - started < 20_000);
});
