// Finds a program as a shell would, by absolute directories alone. Used by what looks for bwrap, crun and runsc.
import { access, constants } from 'node:fs/promises';
import path from 'node:path';

/** Where the program is; null for nowhere. */
export async function findProgram(name: string, searchPath: string): Promise<string | null> {
  for (const directory of searchPath.split(':').filter((each) => each.startsWith('/'))) {
    const file = path.join(directory, name);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return null;
}
