// Whether the weights of a model are here, told by names and sizes alone. Used by the supervisor and the planner.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from './inspect.ts';
import { readManifest } from './manifest.ts';

export interface WeightsState {
  state: 'here' | 'missing' | 'broken';
  /** What is wrong, in a sentence. */
  problem: string | null;
}

/** Looks at the model's directory (absolute path). */
export async function weightsState(directory: string): Promise<WeightsState> {
  if (!(await isDirectory(directory)))
    return { state: 'missing', problem: `there are no weights in ${directory}.` };
  try {
    const manifest = await readManifest(directory);
    if (manifest === undefined) await inspect(directory);
    for (const { path, bytes } of manifest?.files ?? []) {
      const size = await stat(join(directory, path)).then(
        (there) => there.size,
        () => undefined,
      );
      if (size === bytes) continue;
      const what = size === undefined ? 'is missing' : `has ${size} bytes in place of ${bytes}`;
      return { state: 'broken', problem: `${join(directory, path)} ${what}.` };
    }
    return { state: 'here', problem: null };
  } catch (error) {
    return { state: 'broken', problem: (error as Error).message };
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (there) => there.isDirectory(),
    () => false,
  );
}
