// The settings that a simulation goes by: those of the configuration's schema, over its defaults those of the scenario, over these
// what somebody wants to try. Nothing of the installation's own. Used by simulate.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import { configKeys, valueFromText } from '../config/keys.ts';
import { Config } from '../config/schema.ts';

/** Reads them; `tried` are as of `--set`. */
export function simulationSettings(scenario: Record<string, unknown>, tried: readonly string[]): Config {
  const settings = structuredClone(scenario);
  for (const each of tried) {
    const [path = '', text = ''] = each.split(/=(.*)/s);
    const key = configKeys().find((known) => known.path === path);
    if (key === undefined) throw wrong(`\`${path}\` is not a key`);
    put(settings, path.split('.'), valueFromText(key, text));
  }
  const read = Config.safeParse(settings);
  if (read.success) return read.data;
  throw wrong(read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}

function wrong(what: string): AutocodeError {
  return new AutocodeError('ERR_CONFIG', `The settings of the simulation are wrong: ${what}.`, {
    remedy: '`autocode config reference` explains every key.',
  });
}

function put(target: Record<string, unknown>, [key = '', ...below]: string[], value: unknown): void {
  if (below.length === 0) {
    target[key] = value;
    return;
  }
  const next = target[key];
  const inner = typeof next === 'object' && next !== null ? (next as Record<string, unknown>) : {};
  target[key] = inner;
  put(inner, below, value);
}
