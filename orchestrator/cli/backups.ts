// `autocode backup …`.
import { verifyBackup } from '../backup/archive.ts';
import { createBackup } from '../backup/create.ts';
import { restoreBackup } from '../backup/restore.ts';
import type { GlobalArgs } from './command.ts';
import { bytes } from './format.ts';
import { print, printJson } from './output.ts';
import { loadSettings } from './settings.ts';

/** Writes a backup of the data directory. */
export async function create(args: GlobalArgs & { file: string | undefined }): Promise<void> {
  const { config } = loadSettings(args);
  const summary = await createBackup({
    dataDir: config.dataDir,
    databaseUrl: config.database.url,
    file: args.file,
  });
  if (args.json) return printJson(summary);
  print(
    `${summary.file}: ${summary.files} files, ${bytes(summary.bytes)}. It holds the key of the secrets: keep it as safe as they are.`,
  );
}

/** Restores a backup into the (empty) data directory. */
export async function restore(args: GlobalArgs & { file: string }): Promise<void> {
  const { config } = loadSettings(args);
  const summary = await restoreBackup({
    file: args.file,
    dataDir: config.dataDir,
    databaseUrl: config.database.url,
  });
  if (args.json) return printJson({ ...summary, dataDir: config.dataDir });
  const lost = summary.lostRuns === 0 ? '' : ` ${summary.lostRuns} runs were live then; they are retried.`;
  print(
    `The backup of ${summary.createdAt} is restored in ${config.dataDir}: ${summary.files} files.${lost} Start it with \`autocode up\`.`,
  );
}

/** Checks the sums of a backup. */
export async function verify(args: GlobalArgs & { file: string }): Promise<void> {
  const manifest = await verifyBackup(args.file);
  const size = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  if (args.json)
    return printJson({
      file: args.file,
      ok: true,
      createdAt: manifest.createdAt,
      files: manifest.files.length,
      bytes: size,
    });
  print(`${args.file} is whole: made ${manifest.createdAt}, ${manifest.files.length} files, ${bytes(size)}.`);
}
