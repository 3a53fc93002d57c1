// What a process says when it ends by an error that nobody has caught: as Node.js says it, without secrets. Used by main.ts.
import { writeSync } from 'node:fs';
import { inspect } from 'node:util';

/** Says so from now on; the returned function ends that. */
export function tellCrashes(clean: (text: string) => string): () => void {
  const tell = (error: unknown) => {
    writeSync(2, `${clean(inspect(error))}\n`);
    process.exit(1);
  };
  process.on('uncaughtException', tell);
  return () => void process.off('uncaughtException', tell);
}
