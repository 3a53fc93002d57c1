// Jira's two ways to write text, as plain text: the Atlassian document format (ADF), a tree, and wiki markup, a string. Pure.
// Used by jira-events.ts.

interface Node {
  type?: unknown;
  text?: unknown;
  content?: unknown;
  attrs?: Record<string, unknown> | null;
  marks?: unknown;
}

const DEEPEST = 50;
const BLOCKS = new Set([
  'blockquote',
  'blockCard',
  'bulletList',
  'codeBlock',
  'embedCard',
  'expand',
  'heading',
  'mediaGroup',
  'mediaSingle',
  'nestedExpand',
  'orderedList',
  'panel',
  'paragraph',
  'rule',
  'table',
  'tableRow',
  'taskList',
]);

/** The text of a field, in whichever way it is written; nothing where it has none. */
export function plainText(value: unknown): string {
  if (typeof value === 'string') return ofWiki(value);
  if (typeof value !== 'object' || value === null) return '';
  const lines = ofNode(value as Node, 0).split('\n');
  return lines
    .map((line) => line.trimEnd())
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

function ofNode(node: Node, depth: number): string {
  if (depth > DEEPEST) return '';
  const { type, attrs } = node;
  const inner = (between = '') =>
    childrenOf(node)
      .map((child) => ofNode(child, depth + 1))
      .join(between);
  switch (type) {
    case 'text':
      return withLink(wordsOf(node.text), node.marks);
    case 'hardBreak':
      return '\n';
    case 'mention':
    case 'emoji':
    case 'status':
    case 'placeholder':
      return wordsOf(attrs?.text ?? attrs?.shortName);
    case 'date':
      return dateOf(attrs?.timestamp);
    case 'inlineCard':
    case 'blockCard':
    case 'embedCard':
      return wordsOf(attrs?.url);
    case 'listItem':
    case 'taskItem':
      return `- ${inner().trim().replaceAll('\n', '\n  ')}\n`;
    case 'tableCell':
    case 'tableHeader':
      return `${inner().trim().replaceAll('\n', ' ')} | `;
    case 'rule':
      return '----\n';
    default:
      return BLOCKS.has(String(type)) ? `${inner().trimEnd()}\n\n` : inner();
  }
}

function childrenOf({ content }: Node): Node[] {
  return Array.isArray(content)
    ? content.filter((child): child is Node => typeof child === 'object' && child !== null)
    : [];
}

function wordsOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function withLink(text: string, marks: unknown): string {
  const link = Array.isArray(marks) ? (marks as Node[]).find((mark) => mark?.type === 'link') : undefined;
  const href = link?.attrs?.href;
  return typeof href === 'string' && href !== text ? `${text} (${href})` : text;
}

function dateOf(timestamp: unknown): string {
  const date = new Date(Number(timestamp));
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 10);
}

// What is in {code} and {noformat} stays as it is, but for the marks themselves. Whatever has no end is looked for no further
// than a few hundred characters: else a text of openings alone would take the square of its length.
function ofWiki(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .split(/(\{(?:code|noformat)(?::[^}\n]{0,200})?\}[^]*?\{(?:code|noformat)\})/)
    .map((part, index) =>
      index % 2 === 1 ? part.replaceAll(/\{(?:code|noformat)(?::[^}\n]{0,200})?\}/g, '') : ofMarkup(part),
    )
    .join('')
    .trim();
}

function ofMarkup(text: string): string {
  return text
    .replaceAll(/^h[1-6]\. +/gm, '')
    .replaceAll(/^bq\. +/gm, '')
    .replaceAll(/\{(?:quote|panel|color|anchor)(?::[^}\n]{0,200})?\}/g, '')
    .replaceAll(/\[([^\]|\n]{1,300})\|([^\]|\n]{1,300})(?:\|[^\]\n]{0,100})?\]/g, '$1 ($2)')
    .replaceAll(/\[((?:https?|mailto):[^\]\n]{1,300})\]/g, '$1')
    .replaceAll(/\{\{([^}\n]{1,300})\}\}/g, '$1')
    .replaceAll(/(^|[\s(])\*(\S(?:[^*\n]{0,300}\S)?)\*(?=$|[\s).,;:!?])/gm, '$1$2')
    .replaceAll(/(^|[\s(])_(\S(?:[^_\n]{0,300}\S)?)_(?=$|[\s).,;:!?])/gm, '$1$2')
    .replaceAll(/^[*#-]{1,20} +/gm, '- ')
    .replaceAll(/^\|\|(.*)\|\|$/gm, (_, cells: string) => cells.split('||').join(' | '));
}
