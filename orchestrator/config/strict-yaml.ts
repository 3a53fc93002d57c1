// YAML of which nothing is understood but plain mappings, lists and scalars, with the lines of what is wrong: texts of
// whoever may push to a repository, and files that people write. Used by repos/project-file/ and the models' catalogue.
import { LineCounter, isAlias, isMap, isNode, isScalar, parseDocument, visit } from 'yaml';
import type { Document, Node } from 'yaml';
import type { z } from 'zod';
import type { FileProblem } from '../../protocol/project-file.ts';

export const MOST_PROBLEMS = 20;
// The parser goes down a level a bracket or dash.
const DEEPEST = 50;

export interface StrictYaml {
  document: Document;
  /** Null where the text has no such place. */
  lineOf(node: unknown): number | null;
  /** Of a key, or of what it would be in when it is missing. */
  lineOfKey(path: readonly PropertyKey[]): number | null;
}

/** Reads a text, or tells what is wrong with it. */
export function parseStrictYaml(
  bytes: Uint8Array,
  maxBytes: number,
): StrictYaml | { problems: FileProblem[] } {
  if (bytes.length > maxBytes)
    return refused(`it has ${bytes.length} bytes; at most ${maxBytes} are read`, 'Make it shorter.');
  const text = decoded(bytes);
  if (text === undefined) return refused('it is not UTF-8', 'Save it as UTF-8.');
  if (deepest(text) > DEEPEST) return refused(`it is nested deeper than ${DEEPEST} levels`, null);
  const lines = new LineCounter();
  const lineOf = (node: unknown) =>
    isNode(node) && node.range !== null && node.range !== undefined
      ? lines.linePos(node.range[0]).line
      : null;
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    schema: 'core',
    resolveKnownTags: false,
    merge: false,
  });
  const broken = [...document.errors, ...document.warnings];
  const problems = [
    ...broken.map(({ message, pos }) => problem(lines.linePos(pos[0]).line, null, message)),
    ...fancies(document, lineOf),
  ];
  if (problems.length > 0) return { problems: problems.slice(0, MOST_PROBLEMS) };
  return { document, lineOf, lineOfKey: (path) => lineOf(keyNode(document, path)) };
}

/** What a schema found wrong, each with its line; `known` are the settings at the top. */
export function problemsOf(
  issues: readonly z.core.$ZodIssue[],
  { lineOfKey }: StrictYaml,
  known: readonly string[],
): FileProblem[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') {
      const key = issue.path.join('.');
      const what = key === '' ? 'The file' : `\`${key}\``;
      return [problem(lineOfKey(issue.path), key, `${what}: ${issue.message}.`)];
    }
    return issue.keys.map((key) => {
      const whole = [...issue.path, key].join('.');
      const remedy = issue.path.length === 0 ? `Settings are ${known.join(', ')}.` : null;
      return problem(lineOfKey([...issue.path, key]), whole, `There is no setting \`${whole}\`.`, remedy);
    });
  });
}

/** Problems as sentences. */
export function told(problems: readonly FileProblem[]): string {
  return problems
    .map(({ line, message, remedy }) => {
      const place = line === null ? '' : `line ${line}: `;
      return `${place}${message}${remedy === null ? '' : ` ${remedy}`}`;
    })
    .join(' ');
}

/** One thing that is wrong with a text. */
export function problem(
  line: number | null,
  key: string | null,
  message: string,
  remedy: string | null = null,
): FileProblem {
  return { line, key, message, remedy };
}

function keyNode(document: Document, path: readonly PropertyKey[]): unknown {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  const pair = isMap(parent)
    ? parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
    : undefined;
  return pair?.key ?? document.getIn(path, true) ?? parent;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

// An upper bound by the characters that open a level, found before the parser recurses into them.
function deepest(text: string): number {
  let most = 0;
  for (const line of text.split('\n')) {
    const block = /^(?:\s*[-?:]\s)+/.exec(line)?.[0].match(/[-?:]/g)?.length ?? 0;
    most = Math.max(most, block);
  }
  let open = 0;
  for (const mark of text.match(/[[\]{}]/g) ?? []) {
    open = mark === '[' || mark === '{' ? open + 1 : Math.max(0, open - 1);
    most = Math.max(most, open);
  }
  return most;
}

// Aliases may multiply a text beyond any size, and tags make objects of it.
function fancies(document: Document, lineOf: (node: unknown) => number | null): FileProblem[] {
  const found: FileProblem[] = [];
  visit(document, {
    Pair: (_, { key }) => {
      if (!isScalar(key)) found.push(problem(lineOf(key), null, 'A key must be a plain word.'));
    },
    Node: (_, node: Node) => {
      if (isAlias(node) || ('anchor' in node && node.anchor !== undefined))
        found.push(problem(lineOf(node), null, 'Anchors and aliases are not understood.', 'Write it out.'));
      if (!isAlias(node) && node.tag?.startsWith('tag:') === false)
        found.push(problem(lineOf(node), null, `The tag ${node.tag} is not understood.`, 'Leave it out.'));
    },
  });
  return found;
}

function refused(what: string, remedy: string | null): { problems: FileProblem[] } {
  return { problems: [problem(null, null, `It cannot be read: ${what}.`, remedy)] };
}
