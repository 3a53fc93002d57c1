// The bytes of an `.autocode.yaml` → what it says, or what is wrong with it, each with its line. The file comes from
// whoever may push to the repository: nothing of YAML is understood but plain mappings, lists and scalars.
// Used by read.ts, the API and `project file check`.
import { isMap, isScalar } from 'yaml';
import { AutocodeError } from '../../../protocol/errors.ts';
import { PROJECT_FILE, ProjectFile } from '../../../protocol/project-file.ts';
import type { FileProblem } from '../../../protocol/project-file.ts';
import { MOST_PROBLEMS, parseStrictYaml, problem, problemsOf, told } from '../../config/strict-yaml.ts';
import type { StrictYaml } from '../../config/strict-yaml.ts';
import { decidedElsewhere } from './decided-elsewhere.ts';

export interface Parsed {
  content: ProjectFile | null;
  problems: FileProblem[];
}

export const FILE_MAX_BYTES = 64 << 10;

/** Reads the file; `content` is null when anything at all is wrong with it. */
export function parseProjectFile(bytes: Uint8Array): Parsed {
  const yaml = parseStrictYaml(bytes, FILE_MAX_BYTES);
  if ('problems' in yaml) return { content: null, problems: yaml.problems };
  const { contents } = yaml.document;
  if (contents === null || (isScalar(contents) && contents.value === null))
    return { content: {}, problems: [] };
  return understood(yaml);
}

/** The error that a run or command ends with when the file is not valid. */
export function invalidFile(problems: FileProblem[], where: string): AutocodeError {
  return new AutocodeError('ERR_PROJECT_FILE', `${PROJECT_FILE} ${where} is not valid: ${told(problems)}`, {
    remedy: `Mend it and commit it; \`autocode project file check ${PROJECT_FILE}\` looks at it before you do.`,
    details: { problems },
  });
}

function understood(yaml: StrictYaml): Parsed {
  const { document, lineOf } = yaml;
  const root = document.contents;
  if (!isMap(root)) {
    const message = 'It must be a mapping of settings, as `verify: […]`.';
    return { content: null, problems: [problem(lineOf(root), null, message)] };
  }
  const elsewhere = root.items.flatMap(({ key }) => {
    const name = isScalar(key) ? String(key.value) : '';
    const who = decidedElsewhere(name);
    if (who === undefined) return [];
    return [problem(lineOf(key), name, `\`${name}\` is not for a repository to decide.`, who)];
  });
  const result = ProjectFile.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (result.success && elsewhere.length === 0) return { content: result.data, problems: [] };
  const wrong = problemsOf(result.error?.issues ?? [], yaml, Object.keys(ProjectFile.shape)).filter(
    ({ key }) => key === null || decidedElsewhere(key) === undefined,
  );
  const problems = [...elsewhere, ...wrong].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  return { content: null, problems: problems.slice(0, MOST_PROBLEMS) };
}
