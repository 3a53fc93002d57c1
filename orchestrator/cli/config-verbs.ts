// `autocode config …`.
import { checkConfig, loadConfig } from '../config/load.ts';
import { configReference } from '../config/reference.ts';
import { showConfig } from '../config/show.ts';
import { Exit, type GlobalArgs } from './command.ts';
import { paint, print, printJson, table } from './output.ts';

/** Checks a configuration; exit code 2 if it has mistakes. */
export async function check(args: GlobalArgs & { file: string | undefined }): Promise<void> {
  const { file, mistakes, warnings } = checkConfig({ file: args.file ?? args.config, set: args.set });
  if (args.json) printJson({ file: file ?? null, ok: mistakes.length === 0, mistakes, warnings });
  else {
    for (const warning of warnings) print(`${paint('yellow', 'warning')}: ${warning}`);
    for (const mistake of mistakes)
      print(`${mistake.where}: ${paint('red', mistake.path)} ${mistake.message}`);
    const where = file ?? 'the defaults (there is no configuration file)';
    print(
      mistakes.length === 0
        ? `${where}: no mistakes.`
        : `${where}: ${mistakes.length} to correct; \`autocode config reference\` explains the keys.`,
    );
  }
  if (mistakes.length > 0) throw new Exit(2);
}

/** Shows every value with its source. */
export async function show(args: GlobalArgs): Promise<void> {
  const keys = showConfig(loadConfig({ file: args.config, set: args.set }));
  if (args.json)
    return printJson(
      Object.fromEntries(keys.map(({ path, value, source }) => [path, { value: value ?? null, source }])),
    );
  print(
    table(keys, [
      { title: 'KEY', value: (key) => key.path },
      {
        title: 'VALUE',
        value: (key) => (typeof key.value === 'string' ? key.value : (JSON.stringify(key.value) ?? '-')),
      },
      {
        title: 'FROM',
        value: (key) => key.source,
        style: (key) => (key.source === 'default' ? 'dim' : undefined),
      },
    ]),
  );
}

/** Prints the reference. */
export async function reference(args: GlobalArgs): Promise<void> {
  const markdown = configReference();
  if (args.json) printJson({ markdown });
  else process.stdout.write(markdown);
}
