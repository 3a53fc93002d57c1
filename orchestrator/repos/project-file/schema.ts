// docs/autocode.schema.json, for editors: `node orchestrator/repos/project-file/schema.ts > docs/autocode.schema.json`.
// schema.test.ts fails when it is not current.
import { z } from 'zod';
import { PROJECT_FILE, ProjectFile } from '../../../protocol/project-file.ts';

/** The JSON schema of the file. */
export function projectFileSchema(): string {
  const schema = z.toJSONSchema(ProjectFile, { io: 'input', reused: 'inline', cycles: 'throw' });
  return `${JSON.stringify({ title: PROJECT_FILE, ...schema }, null, 2)}\n`;
}

if (import.meta.main) process.stdout.write(projectFileSchema());
