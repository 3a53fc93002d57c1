// The environment of programs that an image says or whoever imports it names. Used by `autocode environment import`.
import { AutocodeError } from '../../../protocol/errors.ts';

/** Set by the sandbox itself, or read by loaders of programs: none of these goes in. */
const OWN = /^(HOME|USER|SHELL|TMPDIR|HOSTNAME|AUTOCODE_.*|LD_(?!LIBRARY_PATH$).*|GLIBC_TUNABLES)$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** From `NAME=value` lines; those that were given by hand go before the image's. `leftOut` tells which cannot be. */
export function variablesFrom(
  image: string[],
  given: string[],
): { variables: Record<string, string>; leftOut: string[] } {
  for (const line of given)
    if (!NAME.test(split(line).name) || OWN.test(split(line).name))
      throw new AutocodeError(
        'ERR_INVALID_INPUT',
        `--variable ${line} cannot be set for the programs of a run.`,
        {
          remedy: "Write it as NAME=value; HOME, USER, SHELL, TMPDIR and LD_PRELOAD are the sandbox's own.",
        },
      );
  const all = [...image, ...given].map(split);
  const fit = all.filter(({ name }) => NAME.test(name) && !OWN.test(name));
  const leftOut = all.filter(
    (each) => !fit.includes(each) && !/^(HOME|USER|SHELL|HOSTNAME)$/.test(each.name),
  );
  return {
    variables: Object.fromEntries(fit.map(({ name, value }) => [name, value])),
    leftOut: leftOut.map(({ name }) => `the variable ${name}`),
  };
}

function split(line: string): { name: string; value: string } {
  const [, name = line, value = ''] = /^([^=]*)=(.*)$/s.exec(line) ?? [];
  return { name, value };
}
