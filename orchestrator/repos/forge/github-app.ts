// A GitHub App's tokens: it proves itself by a signed note and gets a token for each of its installations, which lasts an
// hour. Used by github.ts.
import { createPrivateKey, createSign } from 'node:crypto';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ForgeCredential, ListedRepository } from './forge.ts';
import type { ApiServer } from './forge-http.ts';
import { forgeApi } from './forge-http.ts';
import { Installation, InstallationToken, InstalledRepositories, listed } from './github-shapes.ts';

// GitHub takes a note of ten minutes at most, and its clock may be behind ours.
const NOTE_SECONDS = 540;
const SKEW_SECONDS = 60;
// A token is not begun with when it ends in the middle of a long push.
const LEFT_MS = 10 * 60_000;

export interface AppToken {
  token: string;
  endsAt: number;
  permissions: Record<string, string>;
}

export interface GitHubApp {
  /** The token of the installation that a repository, or an organisation, is in; `renew`: the last one was not accepted. */
  tokenFor(path: string, renew: boolean): Promise<AppToken>;
  /** What its installations may reach, those of one owner or all. */
  repositories(owner: string | undefined, signal?: AbortSignal): AsyncIterable<ListedRepository>;
}

/** Whether a credential is an App's private key and no token. */
export function isPrivateKey(credential: string): boolean {
  return /-----BEGIN (RSA )?PRIVATE KEY-----/.test(credential);
}

/** The headers of every request. */
export function headersWith(token: string): Record<string, string> {
  return {
    authorization: `Bearer ${token}`,
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
  };
}

/** The App of a server; tokens are kept until they are about to end. */
export function githubApp(
  server: Omit<ApiServer, 'headers'>,
  credential: () => Promise<ForgeCredential>,
): GitHubApp {
  const tokens = new Map<string, Promise<AppToken>>(); // by App and owner
  const asApp = forgeApi({
    ...server,
    headers: async () => headersWith(signedNote(server.name, await credential())),
  });

  async function tokenFor(path: string, renew: boolean): Promise<AppToken> {
    const owner = path.split('/')[0]!.toLowerCase();
    const key = `${(await credential()).appId} ${owner}`;
    const kept = await tokens.get(key)?.catch(() => undefined);
    if (kept !== undefined && !renew && kept.endsAt - Date.now() > LEFT_MS) return kept;
    const made = newToken(path);
    tokens.set(key, made);
    return await made;
  }

  async function newToken(path: string): Promise<AppToken> {
    const route = `/${path.includes('/') ? 'repos' : 'orgs'}/${path}/installation`;
    const { id } = await asApp.request('GET', route, { answer: Installation }).catch((error: unknown) => {
      if (error instanceof AutocodeError && error.code === 'ERR_NOT_FOUND')
        throw notInstalled(server.name, path);
      throw error;
    });
    return await tokenOf(id);
  }

  async function tokenOf(installation: number): Promise<AppToken> {
    const route = `/app/installations/${installation}/access_tokens`;
    const answer = await asApp.request('POST', route, { answer: InstallationToken, json: {} });
    return { token: answer.token, endsAt: Date.parse(answer.expires_at), permissions: answer.permissions };
  }

  async function* repositories(owner: string | undefined, signal?: AbortSignal) {
    const options = { answer: z.array(Installation), signal };
    for (const { id, account } of await asApp.all('/app/installations', options)) {
      if (owner !== undefined && account?.login.toLowerCase() !== owner.toLowerCase()) continue;
      const { token } = await tokenOf(id);
      const api = forgeApi({ ...server, headers: async () => await Promise.resolve(headersWith(token)) });
      const all = api.pages('/installation/repositories', { answer: InstalledRepositories, signal });
      for await (const page of all) yield* page.map(listed);
    }
  }

  return { tokenFor, repositories };
}

// A JSON web token by RS256.
function signedNote(forge: string, { token: pem, appId }: ForgeCredential): string {
  if (appId === null) {
    throw new AutocodeError(
      'ERR_CONFIG',
      `The forge ${forge} has the private key of an App and not its id.`,
      {
        remedy: `Give it with \`autocode project set PROJECT --forge ${forge} --forge-app-id ID\`, or as appId in the configuration.`,
      },
    );
  }
  const now = Math.floor(Date.now() / 1000);
  const claims = { iat: now - SKEW_SECONDS, exp: now + NOTE_SECONDS, iss: appId };
  const signed = [{ alg: 'RS256', typ: 'JWT' }, claims].map(encoded).join('.');
  try {
    const signature = createSign('RSA-SHA256').update(signed).sign(createPrivateKey(pem), 'base64url');
    return `${signed}.${signature}`;
  } catch {
    // What went wrong could quote the key.
    throw new AutocodeError(
      'ERR_SECRET',
      `The private key of the App of the forge ${forge} cannot be read.`,
      {
        remedy: `Give the PEM file that GitHub made: \`autocode project set PROJECT --forge ${forge} --forge-token-file FILE\`.`,
      },
    );
  }
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function notInstalled(forge: string, path: string): AutocodeError {
  return new AutocodeError('ERR_FORGE_DENIED', `The App of the forge ${forge} is not installed on ${path}.`, {
    remedy: "Install it on the repository: in the App's settings, Install App, and there the repository.",
  });
}
