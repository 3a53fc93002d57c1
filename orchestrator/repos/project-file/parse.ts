// The bytes of an `.autocode.yaml` → what it says, or what is wrong with it, each with its line. The file comes from
// whoever may push to the repository: nothing of YAML is understood but plain mappings, lists and scalars.
// Used by read.ts, the API and `project file check`.
import { LineCounter, isAlias, isMap, isNode, isScalar, parseDocument, visit } from 'yaml';
import type { Document, Node } from 'yaml';
import { AutocodeError } from '../../../protocol/errors.ts';
import { PROJECT_FILE, ProjectFile } from '../../../protocol/project-file.ts';
import type { FileProblem } from '../../../protocol/project-file.ts';
import { decidedElsewhere } from './decided-elsewhere.ts';

export interface Parsed {
  content: ProjectFile | null;
  problems: FileProblem[];
}

export const FILE_MAX_BYTES = 64 << 10;
const MOST_PROBLEMS = 20;
// The parser goes down a level a bracket or dash.
const DEEPEST = 50;

/** Reads the file; `content` is null when anything at all is wrong with it. */
export function parseProjectFile(bytes: Uint8Array): Parsed {
  if (bytes.length > FILE_MAX_BYTES) {
    return refused(`it has ${bytes.length} bytes; at most ${FILE_MAX_BYTES} are read`, 'Make it shorter.');
  }
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
  if (problems.length > 0) return { content: null, problems: problems.slice(0, MOST_PROBLEMS) };
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null))
    return { content: {}, problems: [] };
  return understood(document, lineOf);
}

/** The error that a run or command ends with when the file is not valid. */
export function invalidFile(problems: FileProblem[], where: string): AutocodeError {
  const told = problems.map(({ line, message, remedy }) => {
    const place = line === null ? '' : `line ${line}: `;
    return `${place}${message}${remedy === null ? '' : ` ${remedy}`}`;
  });
  return new AutocodeError('ERR_PROJECT_FILE', `${PROJECT_FILE} ${where} is not valid: ${told.join(' ')}`, {
    remedy: `Mend it and commit it; \`autocode project file check ${PROJECT_FILE}\` looks at it before you do.`,
    details: { problems },
  });
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

function understood(document: Document, lineOf: (node: unknown) => number | null): Parsed {
  const root = document.contents;
  if (!isMap(root)) {
    const message = 'It must be a mapping of settings, as `verify: […]`.';
    return { content: null, problems: [problem(lineOf(root), null, message)] };
  }
  const keyNode = (path: PropertyKey[]) => {
    const parent = path.length === 1 ? root : document.getIn(path.slice(0, -1), true);
    const key = path.at(-1);
    const pair = isMap(parent)
      ? parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
      : undefined;
    return pair?.key ?? document.getIn(path, true) ?? parent;
  };
  const elsewhere = root.items.flatMap(({ key }) => {
    const name = isScalar(key) ? String(key.value) : '';
    const who = decidedElsewhere(name);
    if (who === undefined) return [];
    return [problem(lineOf(key), name, `\`${name}\` is not for a repository to decide.`, who)];
  });
  const result = ProjectFile.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (result.success && elsewhere.length === 0) return { content: result.data, problems: [] };
  const told = (result.error?.issues ?? []).flatMap(({ code, path, message, ...issue }) => {
    if (code !== 'unrecognized_keys' || !('keys' in issue)) {
      const key = path.join('.');
      return [problem(lineOf(keyNode(path)), key, `\`${key}\`: ${message}.`)];
    }
    return issue.keys
      .filter((key) => path.length > 0 || decidedElsewhere(key) === undefined)
      .map((key) => {
        const whole = [...path, key].join('.');
        const known = Object.keys(ProjectFile.shape).join(', ');
        const remedy = path.length === 0 ? `Settings are ${known}.` : null;
        return problem(lineOf(keyNode([...path, key])), whole, `There is no setting \`${whole}\`.`, remedy);
      });
  });
  const problems = [...elsewhere, ...told].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  return { content: null, problems: problems.slice(0, MOST_PROBLEMS) };
}

function refused(what: string, remedy: string | null): Parsed {
  return { content: null, problems: [problem(null, null, `It cannot be read: ${what}.`, remedy)] };
}

function problem(
  line: number | null,
  key: string | null,
  message: string,
  remedy: string | null = null,
): FileProblem {
  return { line, key, message, remedy };
}
