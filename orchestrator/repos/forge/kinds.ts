// The kinds of forges that there are. A new one is added here and to FORGE_KINDS of the protocol. Used by forges.ts,
// webhook.ts and the API.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ForgeKindName } from '../../../protocol/project.ts';
import type { ForgeKind } from './forge.ts';
import { gitea } from './gitea.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';

/** All kinds; those that a public host belongs to are asked by its name. */
export const KINDS: readonly ForgeKind[] = [gitea, github, gitlab];

/** A kind by its name. */
export function kindNamed(name: ForgeKindName): ForgeKind {
  const found = KINDS.find((kind) => kind.name === name);
  if (found !== undefined) return found;
  throw new AutocodeError('ERR_CONFIG', `There is no kind of forge named ${name}.`);
}

/** The kind of the server at an address: known by its host, or by what it answers. */
export async function recogniseKind(url: string, signal?: AbortSignal): Promise<ForgeKind> {
  const { hostname } = new URL(url);
  const known = KINDS.find((kind) => kind.isHost(hostname));
  if (known !== undefined) return known;
  const answers = await Promise.allSettled(KINDS.map((kind) => kind.recognise(url, signal)));
  signal?.throwIfAborted();
  const found = KINDS[answers.findIndex((answer) => answer.status === 'fulfilled' && answer.value)];
  if (found !== undefined) return found;
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (failed !== undefined && answers.every((answer) => answer.status === 'rejected')) {
    throw new AutocodeError('ERR_FORGE_UNAVAILABLE', `The forge at ${url} does not answer.`, {
      remedy: 'Check that the address is right and the server runs.',
      cause: failed.reason,
    });
  }
  throw new AutocodeError('ERR_INVALID_INPUT', `What is at ${url} is no forge that could be recognised.`, {
    remedy: `Check its address; or say what it is with --forge-kind (${KINDS.map(({ name }) => name).join(', ')}).`,
  });
}
