// Where the settings of a project come from, as `project show` tells it.
import { PROJECT_FILE, type ProjectSettings, type Setting } from '../../../protocol/project-file.ts';
import { printable, shortCommit } from '../format.ts';
import { paint, table } from '../output.ts';

/** Every setting with its source; loud when the repository's file is not valid. */
export function drawSources({ project, file, settings }: ProjectSettings): string {
  const shown = table(settings, [
    { title: 'NEW TASKS HAVE', value: ({ name }) => name },
    { title: 'VALUE', value: ({ value }) => printable(valueWords(value)) },
    { title: 'FROM', value: sourceWords },
  ]);
  if (file === null || file.problems.length === 0) return shown;
  const broken = `${PROJECT_FILE} at ${shortCommit(file.commit)} is not valid, runs that start from it fail: autocode project file show ${project}`;
  return `${shown}\n\n${paint('red', broken)}`;
}

function valueWords(value: unknown): string {
  if (value === null) return '-';
  if (Array.isArray(value)) return value.map(valueWords).join(', ') || 'none';
  if (isCommand(value)) return value.command;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isCommand(value: unknown): value is { command: string } {
  return typeof value === 'object' && value !== null && 'command' in value;
}

function sourceWords({ source, note }: Setting): string {
  const words = {
    project: 'the project',
    file: PROJECT_FILE,
    found: 'found in the repository',
    installation: 'the installation',
  };
  return note === null ? words[source] : `${words[source]}: ${note}`;
}
