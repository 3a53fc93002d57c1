// `autocode project file check` and `project file show`.
import { lstatSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { AutocodeError } from '../../../protocol/errors.ts';
import { FileReading, PROJECT_FILE, type FileProblem } from '../../../protocol/project-file.ts';
import { FILE_MAX_BYTES, parseProjectFile } from '../../repos/project-file/parse.ts';
import { unreadable } from '../../repos/project-file/read.ts';
import { connect } from '../client.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { printable, shortCommit } from '../format.ts';
import { paint, print, printJson, table } from '../output.ts';

/** Says what is wrong with a file that need not be committed yet; no daemon is asked. Exit code 1 when something is. */
export async function checkFile(args: GlobalArgs & { path: string }): Promise<void> {
  const path = fileAt(args.path);
  const reading = { path, ...readingOf(path) };
  if (args.json) printJson(reading);
  else print(reading.problems.length === 0 ? `${path} is valid.` : drawProblems(path, reading.problems));
  if (reading.problems.length > 0) throw new Exit(1);
}

/** Shows the file as it is at the repository now. */
export async function showFile(
  args: GlobalArgs & { project: string; branch: string | undefined },
): Promise<void> {
  const { project, branch } = args;
  const route = `/projects/${encodeURIComponent(project)}/file`;
  const reading = await connect(args).get(route, FileReading, { branch });
  if (args.json) return printJson(reading);
  const at = `at ${shortCommit(reading.commit)}`;
  if (reading.problems.length > 0) {
    print(drawProblems(`${PROJECT_FILE} ${at}`, reading.problems));
    throw new Exit(1);
  }
  if (reading.content === null)
    return print(`Project ${project} has no ${PROJECT_FILE} ${at}: its own settings and the defaults hold.`);
  print(paint('dim', `# ${PROJECT_FILE} ${at}`), printable(stringify(reading.content).trimEnd()));
}

function fileAt(path: string): string {
  try {
    return statSync(path).isDirectory() ? join(path, PROJECT_FILE) : path;
  } catch {
    return path; // told when it is read
  }
}

// As a run reads it, which never follows a link.
function readingOf(path: string): FileReading {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    return unreadable(null, 'It is a symbolic link.', 'Make it a plain file.');
  return { commit: null, ...parseProjectFile(bytesOf(path)) };
}

// A byte more than is read, so that too long a file is told as such.
function bytesOf(path: string): Uint8Array {
  try {
    return readFileSync(path).subarray(0, FILE_MAX_BYTES + 1);
  } catch (error) {
    throw new AutocodeError('ERR_INVALID_INPUT', `${path} cannot be read: ${(error as Error).message}.`, {
      remedy: `Give the path of a ${PROJECT_FILE}, or of the folder that it is in.`,
      cause: error,
    });
  }
}

function drawProblems(what: string, problems: FileProblem[]): string {
  const rows = table(problems, [
    { title: 'LINE', value: ({ line }) => (line === null ? '-' : String(line)), align: 'right' },
    { title: 'KEY', value: ({ key }) => (key === null || key === '' ? '-' : printable(key)) },
    { title: 'WHAT', value: ({ message, remedy }) => printable([message, remedy].filter(Boolean).join(' ')) },
  ]);
  return `${what} is not valid; runs that start from it fail before any agent starts.\n\n${rows}`;
}
