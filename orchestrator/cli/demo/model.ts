// The model that the demo asks: a recording, or a server of the user's, which becomes the engine `default` of the configuration.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isSeq, parseDocument, type Document } from 'yaml';
import { Protocol } from '../../../protocol/model.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import { writeFileAtomic } from '../../config/atomic-file.ts';
import { openDataDirectory } from '../../config/data-directory.ts';
import { checkConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { openSecrets } from '../../secrets/open.ts';
import { readSecret, serverAddress } from '../model-server.ts';
import { loadSettings, type SettingsArgs } from '../settings.ts';

export interface DemoModel {
  name: string;
  recorded: boolean;
  /** Whether the configuration was changed, so that a running daemon has to read it anew. */
  changed: boolean;
}

export const RECORDED: DemoModel = { name: 'replay/demo', recorded: true, changed: false };

const ENGINE = 'default';
const SECRET = 'engine-default';

interface ModelArgs extends SettingsArgs {
  modelUrl: string;
  model: string;
  modelProtocols: string;
  apiKey: string | undefined;
  apiKeyFile: string | undefined;
}

/** Writes the engine into the configuration, comments kept, and its key into the secret store. */
export async function configureModel(args: ModelArgs): Promise<DemoModel> {
  const { config, file } = loadSettings(args);
  const directory = openDataDirectory(config.dataDir);
  const key = args.apiKeyFile === undefined ? args.apiKey : readSecret(args.apiKeyFile);
  const engine = {
    kind: 'upstream',
    name: ENGINE,
    url: serverAddress(args.modelUrl),
    protocols: protocolsOf(args.modelProtocols),
    ...(key === undefined ? {} : { apiKeySecret: SECRET }),
    models: [{ name: args.model }],
  };
  if (key !== undefined) await keepKey(config, key);
  directory.path('config/agents'); // makes config/
  const path = file ?? join(config.dataDir, 'config/autocode.yaml');
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const after = withEngine(before, engine);
  const name = `${ENGINE}/${args.model}`;
  if (after === before) return { name, recorded: false, changed: false };
  await writeFileAtomic(path, after, 0o640);
  const { mistakes } = checkConfig({ file: path, set: args.set });
  if (mistakes.length === 0) return { name, recorded: false, changed: true };
  if (before !== '') await writeFileAtomic(path, before, 0o640);
  const told = mistakes.map((mistake) => `${mistake.path} ${mistake.message}`).join('; ');
  throw new AutocodeError('ERR_CONFIG', `The model does not fit the configuration ${path}: ${told}.`, {
    remedy: 'Correct --model-url, --model or --model-protocols; the file is as it was.',
  });
}

/** The YAML text with this engine in the place of the one of its name, and as the default; other lines stay as they are. */
export function withEngine(text: string, engine: { name: string; models: { name: string }[] }): string {
  const document: Document = parseDocument(text);
  const wanted = document.createNode(engine);
  const engines = document.getIn(['models', 'engines']);
  if (isSeq(engines)) {
    const at = engines.items.findIndex((item) => isMap(item) && item.get('name') === engine.name);
    if (at < 0) engines.add(wanted);
    else engines.set(at, wanted);
  } else document.setIn(['models', 'engines'], document.createNode([engine]));
  document.setIn(['models', 'default'], `${engine.name}/${engine.models[0]?.name ?? ''}`);
  return document.toString({ lineWidth: 0 });
}

async function keepKey(config: Config, key: string): Promise<void> {
  const secrets = await openSecrets(config);
  try {
    if ((await secrets.get(SECRET))?.value !== key) await secrets.put(SECRET, key);
  } finally {
    await secrets.close();
  }
}

function protocolsOf(text: string): Protocol[] {
  const words = text.split(',').map((word) => word.trim());
  const parsed = Protocol.array().min(1).safeParse(words);
  if (parsed.success) return parsed.data;
  throw new AutocodeError('ERR_INVALID_INPUT', `--model-protocols ${text} names no known protocols.`, {
    remedy: `Use some of ${Protocol.options.join(', ')}, separated by commas.`,
  });
}
