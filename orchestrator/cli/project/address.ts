// Addresses of repositories as they are typed. Used by `project add`, `project repo add` and the demo.
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { RepositoryInput } from '../../../protocol/project.ts';

/** A path is told whole, since the daemon's working directory is another. */
export function repositoryAddress(repository: string): string {
  const isUrl =
    /^[a-z][a-z0-9+.-]*:\/\//i.test(repository) || (/^[^/]+:/.test(repository) && !existsSync(repository));
  return isUrl ? repository : resolve(repository);
}

/** A project's name from its repository's last folder. */
export function projectName(repository: string): string {
  const folder = basename(
    repositoryAddress(repository)
      .replace(/\/+$/, '')
      .replace(/\/?\.git$/, '')
      .replace(/^.*:/, ''),
  );
  const name = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63);
  if (name !== '') return name;
  throw new AutocodeError('ERR_INVALID_INPUT', `No name can be made from ${repository}.`, {
    remedy: 'Give one with --name.',
  });
}

/** `web=https://…`, or an address alone, which is named by its last part. */
export function repositoryOption(text: string): Pick<RepositoryInput, 'name' | 'origin'> {
  const [, name, origin] = /^([a-z0-9][a-z0-9._-]{0,62})=(.+)$/s.exec(text) ?? [];
  if (name === undefined || origin === undefined) return { origin: repositoryAddress(text) };
  return { name, origin: repositoryAddress(origin) };
}
