// `autocode config set` and `unset`: change the file, with or without a daemon.
import { configKeys, valueFromText } from '../config/keys.ts';
import { readConfig } from '../config/load.ts';
import { changeSettingsFile, settingsFile, type FileChange } from '../config/settings-file.ts';
import type { GlobalArgs } from './command.ts';
import { differenceOf } from './line-difference.ts';
import { paint, print, printJson } from './output.ts';
import { sourcesOf } from './settings.ts';

type Args = GlobalArgs & { key: string; dryRun: boolean };

/** Sets a key. */
export async function set(args: Args & { value: string }): Promise<void> {
  const { key, value } = args;
  const known = configKeys().find(({ path }) => path === key);
  await change(args, {
    set: { [key]: known === undefined ? value : valueFromText(known, value) },
    unset: [],
  });
}

/** Takes a key out. */
export async function unset(args: Args): Promise<void> {
  await change(args, { set: {}, unset: [args.key] });
}

async function change(args: Args, wanted: FileChange): Promise<void> {
  const from = sourcesOf(args);
  const sources = { ...from, file: settingsFile(from) };
  const { path, before, text } = await changeSettingsFile(sources, wanted, args.dryRun);
  const difference = differenceOf(before, text);
  const by = readConfig({ ...sources, text }).loaded?.fixedBy(args.key);
  if (args.json)
    return printJson({
      file: path,
      changed: text !== before,
      dryRun: args.dryRun,
      difference,
      fixedBy: by ?? null,
    });
  if (by !== undefined)
    print(`${paint('yellow', 'warning')}: ${by} goes before what the file says of ${args.key}.`);
  if (text === before) return print(`${path} says so already.`);
  for (const line of difference) print(paint(line.startsWith('+') ? 'green' : 'red', line));
  print(args.dryRun ? `${path} was not changed.` : `${path} is changed; it holds from the next start.`);
}
