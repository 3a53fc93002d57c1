// What is said of weights that cannot be used, and of sizes. Used by all that looks at them.
import { AutocodeError } from '../../../protocol/errors.ts';

const BRING_AGAIN = 'Bring the weights again, from a whole copy: `autocode model import PATH`.';

/** ERR_WEIGHTS: the file or directory `path`, `what` is wrong with it. */
export function damaged(path: string, what: string, remedy = BRING_AGAIN): AutocodeError {
  return new AutocodeError('ERR_WEIGHTS', `${path} ${what}.`, { remedy });
}

/** `820 MiB`, `19.7 GiB`. */
export function size(bytes: number): string {
  return bytes < 2 ** 30 ? `${Math.ceil(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
