// What the tests of GitHub share: the stand-in with one repository, a forge on it, and what is proposed there.
import type { ChangeAtOrigin } from '../../changes.ts';
import { startFakeGitHub } from '../../../../test/support/fake-github.ts';
import type { ForgeCredential, ForgeHost, Proposal, Proposed } from '../forge.ts';
import { github } from '../github.ts';

const PATH = 'acme/shop';

/** The stand-in and a repository's forge; its credential may be changed while it is in use. */
export async function githubRig() {
  const fake = await startFakeGitHub();
  const repository = await fake.addRepository(PATH);
  const credential: ForgeCredential = { token: fake.token, appId: null };
  const host: ForgeHost = github.hostOf({
    name: 'work',
    url: fake.url,
    credential: async () => await Promise.resolve({ ...credential }),
  });
  const id = String(repository.id);
  return {
    fake,
    repository,
    credential,
    host,
    forge: host.repository(PATH),
    /** A commit on a branch, as if it had been pushed. */
    push: async (branch: string, files: Record<string, string>) => await fake.site.commit(id, branch, files),
    main: async () => await fake.site.shape(id, 'main'),
    /** Goes on as an App that is installed at the repository's owner. */
    asApp(permissions?: Record<string, string>) {
      const { appId, privateKey } = fake.addApp('acme', permissions);
      Object.assign(credential, { token: privateKey, appId });
    },
    [Symbol.asyncDispose]: async () => await fake[Symbol.asyncDispose](),
  };
}

export type GitHubRig = Awaited<ReturnType<typeof githubRig>>;

/** What is proposed for a branch. */
export function proposal(branch: string, commit: string, more: Partial<Proposal> = {}): Proposal {
  return {
    branch,
    baseBranch: 'main',
    commit,
    title: 'Fix the sum',
    body: 'It was wrong.',
    draft: false,
    reviewers: [],
    labels: [],
    statuses: [],
    ...more,
  };
}

/** The change of a pull request, as the database has it. */
export function changeOf({ number, url }: Proposed, branch: string): ChangeAtOrigin {
  const change = { id: 7, number, url, branch, baseBranch: 'main', forge: 'work', title: 'Fix the sum' };
  return change as ChangeAtOrigin;
}
