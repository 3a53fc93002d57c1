// A repository on GitHub and what reaches it: its routes, and the one thing that its REST API cannot do.
// Used by github-repository.ts and github-merge.ts.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ForgeApi } from './forge-http.ts';
import type { AppToken } from './github-app.ts';
import { GraphQlAnswer } from './github-shapes.ts';
import type { PullRequest } from './github-shapes.ts';

/** A repository and what reaches it. */
export interface GitHubPlace {
  api: ForgeApi;
  graphql: string;
  path: string;
  /** The App's token where the credential is one. */
  asApp(): Promise<AppToken | undefined>;
}

const READY = `mutation ($id: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $id }) { clientMutationId } }`;

/** Where the API has a repository. */
export function repositoryRoute(path: string): string {
  return `/repos/${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** Makes a draft ready for review, which GitHub's REST API cannot. */
export async function makeReady(
  { api, graphql }: GitHubPlace,
  { node_id: id, number }: PullRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const json = { query: READY, variables: { id } };
  const { errors } = await api.request('POST', graphql, { answer: GraphQlAnswer, json, signal });
  if (errors === undefined || errors.length === 0) return;
  const said = errors.map(({ message }) => message).join('; ');
  const denied = errors.some(({ type }) => type === 'FORBIDDEN');
  throw new AutocodeError(
    denied ? 'ERR_FORGE_DENIED' : 'ERR_FORGE_REFUSED',
    `The forge ${api.name} did not make the draft #${number} ready for review: ${said}`,
    { remedy: 'Mark it as ready on its page, and try again.' },
  );
}
