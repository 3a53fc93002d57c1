// How a verb is defined: its words, options and examples here and now, its handler imported only when it runs.
// Used by verbs/*.ts (definitions), program.ts (the tree) and reference.ts (docs/cli.md).
import type { Argv, ArgumentsCamelCase } from 'yargs';

/** Options that every verb takes. */
export interface GlobalArgs {
  json: boolean;
  verbose: boolean;
  config: string | undefined;
  set: string[] | undefined;
  url: string | undefined;
  tokenFile: string | undefined;
  caFile?: string | undefined;
}

export interface Verb {
  /** As yargs writes it: `list`, or `show <task>`. */
  command: string;
  aliases?: string[];
  describe: string;
  examples: [command: string, what: string][];
  /** More to know, printed below the options. */
  epilogue?: string;
  builder: (yargs: Argv) => Argv;
  load: () => Promise<(args: never) => Promise<void>>;
}

/** A word that groups verbs: `task`, `project`; a noun below a noun is `project file`. */
export interface Noun {
  noun: string;
  describe: string;
  verbs: (Verb | Noun)[];
}

/** Defines a verb; the handler that `load` imports must take what `builder` offers. */
export function verb<A>(definition: {
  command: string;
  aliases?: string[];
  describe: string;
  examples?: [command: string, what: string][];
  epilogue?: string;
  builder?: (yargs: Argv) => Argv<A>;
  load: () => Promise<(args: ArgumentsCamelCase<NoInfer<A>> & GlobalArgs) => Promise<void>>;
}): Verb {
  const { builder = (yargs: Argv) => yargs as Argv<A>, examples = [], ...rest } = definition;
  return { ...rest, examples, builder, load: definition.load };
}

/** Tells a noun from a verb. */
export function isNoun(item: Verb | Noun): item is Noun {
  return 'noun' in item;
}

/** Ends the CLI with this code and nothing more to say: the outcome has been told. */
export class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Words that are no command; `help` is the command whose help is worth reading. */
export class UsageError extends Error {
  readonly help: string;

  constructor(message: string, help: string) {
    super(message);
    this.help = help;
  }
}
