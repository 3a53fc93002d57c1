// Addresses of repositories and of the forges that they are on. Used by forges.ts.
import { AutocodeError } from '../../../protocol/errors.ts';

const SCP_FORM = /^(?:[^@/]+@)?([^:/]+):(?!\/\/)(.+)$/;

/** A repository's path on a forge, as `owner/name`, by whatever protocol git reaches it; undefined when it is not on it. */
export function pathOn(forgeUrl: string, origin: string): string | undefined {
  const path = /^https?:/.test(origin) ? webPath(forgeUrl, origin) : sshPath(forgeUrl, origin);
  const name = path
    ?.replace(/^\/+/, '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
  return name !== undefined && /^[^/]+(\/[^/]+)+$/.test(name) ? name : undefined;
}

function webPath(forgeUrl: string, origin: string): string | undefined {
  const forge = URL.parse(forgeUrl);
  const address = URL.parse(origin);
  if (forge === null || address === null || forge.origin !== address.origin) return undefined;
  const base = forge.pathname.replace(/\/*$/, '/');
  return address.pathname.startsWith(base) ? decodeURI(address.pathname.slice(base.length)) : undefined;
}

function sshPath(forgeUrl: string, origin: string): string | undefined {
  const address = origin.startsWith('ssh://') ? URL.parse(origin) : undefined;
  const [, host, path] =
    address === undefined ? (SCP_FORM.exec(origin) ?? []) : ['', address?.hostname, address?.pathname];
  return host === URL.parse(forgeUrl)?.hostname ? path : undefined;
}

/** The host of a repository, by http or ssh. */
export function hostOf(origin: string): string | undefined {
  return /^[a-z]+:\/\//.test(origin) ? URL.parse(origin)?.hostname : SCP_FORM.exec(origin)?.[1];
}

/** The repository and the number of an issue on a forge, by its address in a browser. */
export function issueOn(forgeUrl: string, address: string): { path: string; number: number } | undefined {
  const [, repository, number] =
    /^(.+?)(?:\/-)?\/(?:issues|work_items)\/(\d+)(?:[/?#].*)?$/.exec(address) ?? [];
  const path = repository === undefined ? undefined : pathOn(forgeUrl, repository);
  return path === undefined ? undefined : { path, number: Number(number) };
}

/** The forge that a repository's own address points to: its host. */
export function webAddress(origin: string): string {
  const url = /^https?:/.test(origin) ? URL.parse(origin) : null;
  if (url !== null) return url.origin;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `The address ${origin} does not tell where the forge's API is.`,
    {
      remedy: 'Give the address of the forge with --forge-url.',
    },
  );
}

/** A name for the forge at an address, as `git.example.com` or `127.0.0.1-3000`. */
export function forgeName(url: string): string {
  const { host } = new URL(url);
  return host
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 55);
}
