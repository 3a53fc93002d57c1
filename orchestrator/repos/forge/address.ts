// Addresses of repositories and of the forges that they are on. Used by forges.ts.
import { AutocodeError } from '../../../protocol/errors.ts';

const SCP_FORM = /^(?:[^@/]+@)?([^:/]+):(?!\/\/)(.+)$/;

/** A repository's `owner/name` on a forge, by whatever protocol git reaches it; undefined when it is not on it. */
export function pathOn(forgeUrl: string, origin: string): string | undefined {
  const path = /^https?:/.test(origin) ? webPath(forgeUrl, origin) : sshPath(forgeUrl, origin);
  const name = path
    ?.replace(/^\/+/, '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
  return name !== undefined && /^[^/]+\/[^/]+$/.test(name) ? name : undefined;
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
