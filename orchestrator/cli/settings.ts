// The configuration as the options of a verb select it. Used by verbs that work on this machine, and to find the daemon.
import { loadConfig, type ConfigSources, type LoadedConfig } from '../config/load.ts';
import type { GlobalArgs } from './command.ts';

export type SettingsArgs = Pick<GlobalArgs, 'config' | 'set'>;

/** Loads the configuration; its warnings go to stderr. */
export function loadSettings(args: SettingsArgs): LoadedConfig {
  const loaded = loadConfig(sourcesOf(args));
  for (const warning of loaded.warnings) process.stderr.write(`warning: ${warning}\n`);
  return loaded;
}

/** Where the options of a verb say that the configuration is. */
export function sourcesOf({ config, set }: SettingsArgs): ConfigSources {
  return { file: config, set };
}

/** The options that make another process of the CLI load the same configuration. */
export function settingsFlags(args: SettingsArgs): string[] {
  return [
    ...(args.config === undefined ? [] : ['--config', args.config]),
    ...(args.set ?? []).flatMap((value) => ['--set', value]),
  ];
}
