// `autocode model import|fetch|verify|remove`: the weights of models. They are files: no daemon is needed.
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { LocalModelStatus, type LocalModel } from '../../protocol/local-model.ts';
import { openDataDirectory } from '../config/data-directory.ts';
import type { Config } from '../config/schema.ts';
import { readLocalCatalogue, SHIPPED_CATALOGUE } from '../models/local-catalogue.ts';
import { fetchBundle } from '../models/weights/fetch.ts';
import { openHub } from '../models/weights/hub.ts';
import { importWeights } from '../models/weights/import.ts';
import { listWeights, removeWeights, verifyWeights } from '../models/weights/kept.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { confirm } from './confirm.ts';
import { bytes, duration } from './format.ts';
import { print, printJson } from './output.ts';
import { loadSettings } from './settings.ts';
import { openScreen } from './watch/screen.ts';

/** Brings the weights of a model in from a directory or an archive. */
export async function importModel(
  args: GlobalArgs & { path: string; name: string | undefined },
): Promise<void> {
  const { config } = loadSettings(args);
  const models = catalogue(config);
  const from = resolve(args.path);
  // Catalogue and hub write one name in different cases.
  const path =
    args.name ?? models.find((model) => model.path.toLowerCase() === basename(from).toLowerCase())?.path;
  const imported = await withProgress(
    'importing',
    async (progress) =>
      await importWeights({
        from,
        root: weightsRoot(config),
        progress,
        ...(path === undefined ? {} : { path }),
      }),
  );
  const users = models.filter(({ path }) => path === imported.path).map((model) => model.name);
  if (args.json) return printJson({ ...imported, models: users });
  const { directory, files, fresh } = imported;
  print(
    `${directory} ${fresh ? 'is there now' : 'was there already'}: ${files} files, ${bytes(imported.bytes)}.`,
  );
  if (users.length > 0) return print(`It is ${users.join(', ')}: see \`autocode model plan ${users[0]}\`.`);
  const wanted = [...new Set(models.map(({ path }) => path))].toSorted();
  print(
    `No model of the catalogue has this path: name it with --name as one of ${wanted.join(', ')}, or add an entry with the path ${imported.path} (docs/models.md).`,
  );
}

interface FetchArgs extends GlobalArgs {
  model: string;
  to: string;
  hub: string;
  hubTokenFile: string | undefined;
  dryRun: boolean;
}

/** Fetches the weights of a model from a hub into a bundle. */
export async function fetchModel(args: FetchArgs): Promise<void> {
  const { config } = loadSettings(args);
  const { repository, revision, path } = sourceOf(args.model, catalogue(config));
  const { hub: address, hubTokenFile: tokenFile } = args;
  const hub = await openHub({ hub: address, ...(tokenFile === undefined ? {} : { tokenFile }) });
  const model = await hub.model(repository, revision);
  const total = model.files.reduce((sum, file) => sum + file.bytes, 0);
  const what = `${repository} at ${model.commit.slice(0, 12)}: ${model.files.length} files, ${bytes(total)}`;
  if (args.dryRun) {
    if (args.json) return printJson({ ...model, bytes: total });
    return print(
      what,
      ...model.files.map((file) => `  ${file.path}  ${bytes(file.bytes)}`),
      '',
      'Nothing was fetched: --dry-run.',
    );
  }
  if (!args.json) process.stderr.write(`Fetching ${what}, from ${address} to ${args.to}.\n`);
  const manifest = await withProgress(
    'fetching',
    async (progress) =>
      await fetchBundle({ hub, model, to: args.to, progress, ...(path === undefined ? {} : { path }) }),
  );
  if (args.json) return printJson({ to: args.to, ...manifest });
  print(`${args.to} is whole. On the appliance: autocode model import ${args.to}`);
}

/** Compares the sums of one model's files, or of all that are here, with those of their import. */
export async function verifyModels(args: GlobalArgs & { model: string | undefined }): Promise<void> {
  const { config } = loadSettings(args);
  const root = weightsRoot(config);
  const here = await listWeights(root);
  const paths = args.model === undefined ? here : [pathOf(args.model, config, here)];
  const checked: object[] = [];
  for (const path of paths) {
    const found = await withProgress(
      `verifying ${path}`,
      async (progress) => await verifyWeights(join(root, path), progress),
    );
    checked.push({ path, ...found });
    const sums = found.sums
      ? 'all sums are those of the import'
      : 'whole by its headers; it has no sums to compare';
    if (!args.json) print(`${path}: ${found.files} files, ${bytes(found.bytes)}, ${sums}.`);
  }
  if (args.json) printJson(checked);
  else if (paths.length === 0) print(`No weights are in ${root}. See \`autocode model import --help\`.`);
}

/** Removes the weights of a model that does not run. */
export async function removeModel(args: GlobalArgs & { model: string; yes: boolean }): Promise<void> {
  const { config } = loadSettings(args);
  const root = weightsRoot(config);
  const path = pathOf(args.model, config, await listWeights(root));
  await refuseRunning(
    args,
    catalogue(config).filter((model) => model.path === path),
  );
  const directory = join(root, path);
  if (!args.yes)
    await confirm([directory], 'Remove these weights?', {
      message: `${directory} would be removed, and nobody is there to agree.`,
      remedy: 'Give --yes.',
    });
  await removeWeights(root, path);
  if (args.json) return printJson({ path, directory });
  print(`${directory} is removed.`);
}

function weightsRoot({ dataDir, models }: Config): string {
  return models.local?.weights ?? openDataDirectory(dataDir).path('model-weights');
}

function catalogue({ models }: Config): LocalModel[] {
  return readLocalCatalogue(models.local?.catalogue ?? SHIPPED_CATALOGUE);
}

/** What a model of the catalogue is fetched from, or `repository[@revision]`. */
function sourceOf(
  name: string,
  models: LocalModel[],
): { repository: string; revision: string; path?: string } {
  const known = models.find((model) => model.name === bare(name));
  if (known?.source !== undefined) return { ...known.source, path: known.path };
  const [, repository, revision = 'main'] = /^([\w.-]+\/[\w.-]+)(?:@(.+))?$/.exec(name) ?? [];
  if (repository !== undefined) return { repository, revision };
  const names = models.flatMap((model) => (model.source === undefined ? [] : [model.name]));
  const example = 'a repository as Qwen/Qwen2.5-Coder-7B-Instruct';
  throw new AutocodeError(
    'ERR_NOT_FOUND',
    `"${name}" is no model of the catalogue, and no repository of a hub.`,
    {
      remedy: `Name ${names.length === 0 ? '' : `one of ${names.join(', ')}, or `}${example}.`,
    },
  );
}

/** The directory of a model of the catalogue, or of that name. */
function pathOf(name: string, config: Config, here: string[]): string {
  const path = catalogue(config).find((model) => model.name === bare(name))?.path ?? name;
  if (here.includes(path)) return path;
  throw new AutocodeError('ERR_NOT_FOUND', `The weights of ${name} are not in ${weightsRoot(config)}.`, {
    remedy:
      here.length === 0 ? 'None are: see `autocode model import --help`.' : `There are ${here.join(', ')}.`,
  });
}

/** The name in the catalogue of what is asked for as `local/…`. */
const bare = (name: string) => name.replace(/^local\//, '');

async function refuseRunning(args: GlobalArgs, users: LocalModel[]): Promise<void> {
  if (users.length === 0) return;
  const statuses = await connect(args)
    .get('/local-models', z.array(LocalModelStatus))
    .catch((error: unknown) => {
      // Without a daemon nothing is known to run; one that lives on would have its files open, and keep them.
      if (error instanceof AutocodeError && error.code === 'ERR_DAEMON_NOT_RUNNING') return [];
      throw error;
    });
  const names = users.map((model) => model.name);
  const running = statuses.find(
    ({ name, state }) => names.includes(name) && !['unloaded', 'failed'].includes(state),
  );
  if (running === undefined) return;
  throw new AutocodeError(
    'ERR_STATE',
    `${running.name} is ${running.state}: an engine has these weights open.`,
    {
      remedy: `Unload it first: autocode model unload ${running.name}`,
    },
  );
}

/** Shows on a terminal how far something is, and how fast it goes. */
async function withProgress<T>(
  what: string,
  work: (progress: (done: number, total: number) => void) => Promise<T>,
): Promise<T> {
  const screen = openScreen(process.stderr);
  const began = Date.now();
  let line = what;
  screen.status(() => line);
  try {
    return await work((done, total) => {
      const seconds = (Date.now() - began) / 1000;
      const rate = seconds > 0 ? done / seconds : 0;
      const left = rate > 0 && seconds > 2 ? `, ${duration(((total - done) / rate) * 1000)} left` : '';
      line = `${what}: ${bytes(done)} of ${bytes(total)}, ${bytes(Math.round(rate))}/s${left}`;
    });
  } finally {
    screen.close();
  }
}
