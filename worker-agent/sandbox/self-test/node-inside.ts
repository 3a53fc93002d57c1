// Whether the agents' own Node runs in an environment: it is this machine's program with the environment's libraries. Used at the
// start of each run that has one, and by the check of an environment.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Sandbox } from '../sandbox.ts';
import { outputOf } from './quick.ts';

/** Starts it; ERR_ENVIRONMENT tells what the environment lacks. Answers with the version. */
export async function tryNode(sandbox: Sandbox, environment: string): Promise<string> {
  const { output, errors, code } = await outputOf(sandbox.spawn([sandbox.node, '--version'], {}));
  if (code === 0) return output.trim();
  throw new AutocodeError(
    'ERR_ENVIRONMENT',
    `The agents' Node does not start in environment ${environment}: ${errors.split('\n')[0] || `exit code ${code}`}`,
    {
      remedy:
        'An environment needs /bin/sh, glibc 2.28 or newer and libstdc++, as images of Debian, Ubuntu and Fedora have (Alpine has not); see `autocode environment check`.',
    },
  );
}
