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
  return ofNode(value as Node, 0)
    .replaceAll(/[ \t]+\n/g, '\n')
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
      return withLink(String(node.text ?? ''), node.marks);
    case 'hardBreak':
      return '\n';
    case 'mention':
    case 'emoji':
    case 'status':
    case 'placeholder':
      return String(attrs?.text ?? attrs?.shortName ?? '');
    case 'date':
      return dateOf(attrs?.timestamp);
    case 'inlineCard':
    case 'blockCard':
    case 'embedCard':
      return String(attrs?.url ?? '');
    case 'listItem':
    case 'taskItem':
      return `- ${inner().trim().replaceAll('\n', '\n  ')}\n`;
    case 'tableCell':
    case 'tableHeader':
      return `${inner().trim().replaceAll('\n', ' ')} | `;
    case 'rule':
      return '----\n';
    default:
      return BLOCKS.has(String(type)) ? `${inner().replace(/\n+$/, '')}\n\n` : inner();
  }
}

function childrenOf({ content }: Node): Node[] {
  return Array.isArray(content)
    ? content.filter((child): child is Node => typeof child === 'object' && child !== null)
    : [];
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

// What is in {code} and {noformat} stays as it is, but for the marks themselves.
function ofWiki(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .split(/(\{(?:code|noformat)(?::[^}\n]*)?\}[^]*?\{(?:code|noformat)\})/)
    .map((part, index) =>
      index % 2 === 1 ? part.replaceAll(/\{(?:code|noformat)(?::[^}\n]*)?\}/g, '') : ofMarkup(part),
    )
    .join('')
    .trim();
}

function ofMarkup(text: string): string {
  return text
    .replaceAll(/^h[1-6]\. +/gm, '')
    .replaceAll(/^bq\. +/gm, '')
    .replaceAll(/\{(?:quote|panel|color|anchor)(?::[^}\n]*)?\}/g, '')
    .replaceAll(/\[([^\]|\n]+)\|([^\]|\n]+)(?:\|[^\]\n]*)?\]/g, '$1 ($2)')
    .replaceAll(/\[((?:https?|mailto):[^\]\n]+)\]/g, '$1')
    .replaceAll(/\{\{([^}\n]+)\}\}/g, '$1')
    .replaceAll(/(^|[\s(])\*(\S(?:[^*\n]*\S)?)\*(?=$|[\s).,;:!?])/gm, '$1$2')
    .replaceAll(/(^|[\s(])_(\S(?:[^_\n]*\S)?)_(?=$|[\s).,;:!?])/gm, '$1$2')
    .replaceAll(/^[*#-]+ +/gm, '- ')
    .replaceAll(/^\|\|(.*)\|\|$/gm, (_, cells: string) => cells.split('||').join(' | '));
}
