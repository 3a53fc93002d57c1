// What tests of intake from forges work with: a stand-in of a kind of forge with the repository `acme/shop`, a project of it, a
// source, and what people do there, in the same words for each kind.
import { randomUUID } from 'node:crypto';
import { Trust } from '../../protocol/intake.ts';
import { startFakeGitHub } from '../../test/support/fake-github.ts';
import { startFakeGitLab } from '../../test/support/fake-gitlab.ts';
import { openForges, type Forges } from '../repos/forge/forges.ts';
import type { AnswerDeps } from './answering.ts';
import { puller } from './pull.ts';
import { addSource } from './sources.ts';
import { addProject, intakeRig, type Rig } from './testing.ts';

export const KINDS = ['github', 'gitlab'] as const;
export type Kind = (typeof KINDS)[number];

/** Comments and what was done to them, as `bot eyes`. */
interface Said {
  author: string;
  body: string;
  reactions: string[];
}

/** What people do at a forge. */
export interface Site {
  url: string;
  token: string;
  requests: string[];
  /** An issue that Ann has written and Root has labelled; its number. */
  labelled(title: string): number;
  /** Somebody comments on an issue. */
  comment(issue: number, author: string, body: string): void;
  said(issue: number): Said[];
  /** Takes the last comment away. */
  forget(issue: number): void;
  /** Takes an issue away, as if it had never been. */
  remove(issue: number): void;
  /** Makes a team with these members. */
  team(name: string, members: string[]): void;
  rename(to: string): void;
  pageMax(most: number): void;
  /** The next request for a second page is refused. */
  refusePage(): void;
  unchanged(): number;
  /** The webhook that tells of what is said last below an issue, and of the issue: events and bodies. */
  hooks(issue: number): [string, object][];
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ForgeRig extends Rig {
  site: Site;
  forges: Forges;
  answerDeps: AnswerDeps & { db: Rig['deps']['db'] };
  /** Asks the forge as the chore does, and works on what it said. */
  poll(): Promise<void>;
}

/** Opens a rig with the source `work`, whose actors are given. */
export async function forgeIntakeRig(kind: Kind, settings: object = {}, actors = ['ann']): Promise<ForgeRig> {
  const site = await START[kind]();
  const rig = await intakeRig();
  const { db } = rig.deps;
  await rig.secrets.put('forge-git', site.token);
  await db.query(`insert into forge (name, kind, url) values ('git', $1, $2)`, [kind, site.url]);
  await addProject(db, 'web', `${site.url}/acme/shop.git`, 'git');
  const forges = openForges({ db, secrets: rig.secrets, configured: [] });
  const trust = Trust.parse({ actors });
  const input = { name: 'work', kind: 'forge' as const, trust, settings: { forge: 'git', ...settings } };
  await addSource({ db, secrets: rig.secrets }, input, 'me');
  const deps = {
    db,
    forges,
    sealer: rig.deps.sealer,
    secret: async (name: string) => (await rig.secrets.get(name))!.value,
    log: { warn: () => {} },
  };
  const stop = new AbortController();
  const pull = puller(deps);
  return {
    ...rig,
    site,
    forges,
    answerDeps: deps,
    poll: async () => {
      await db.query('update intake_source set looked_at = null');
      await pull.look(stop.signal);
      await pull.settled();
      await rig.work();
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await pull.settled();
      await rig[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    },
  };
}

const PATH = 'acme/shop';
const START: Record<Kind, () => Promise<Site>> = { github: githubSite, gitlab: gitlabSite };
const now = () => new Date().toISOString();

async function githubSite(): Promise<Site> {
  const github = await startFakeGitHub();
  const repository = await github.addRepository(PATH);
  repository.members.delete('ann'); // whose word is not one by right
  const issueAt = (number: number) => repository.issues.find((each) => each.number === number)!;
  return {
    url: github.url,
    token: github.token,
    requests: github.requests,
    labelled: (title) =>
      github.addIssue(repository.path, {
        title,
        labels: ['autocode'],
        marks: [{ by: 'root', label: 'autocode' }],
        changedAt: now(),
      }).number,
    comment: (issue, author, body) => void issueAt(issue).comments.push({ author, body, at: now() }),
    said: (issue) =>
      issueAt(issue).comments.map(({ author, body, reactions = [] }) => ({ author, body, reactions })),
    forget: (issue) => void issueAt(issue).comments.pop(),
    remove: (issue) => void (issueAt(issue).gone = true),
    team: (name, members) => void github.state.members.set(name, members),
    rename: (to) => github.rename(repository.path, to),
    pageMax: (most) => void (github.state.pageMax = most),
    refusePage: () => github.answerNext(/[?&]page=2/, { status: 403, body: { message: 'Forbidden' } }),
    unchanged: github.unchanged,
    hooks: (number) => {
      const { title, body, author, labels, comments } = issueAt(number);
      const at = `${github.url}/${repository.path}/issues/${number}`;
      const common = { repository: { full_name: repository.path }, sender: { login: 'root' } };
      const about = { number, html_url: at, title, body, state: 'open', user: { login: author } };
      const last = comments.at(-1)!;
      const comment = {
        id: last.id,
        html_url: at,
        body: last.body,
        user: { login: last.author },
        created_at: last.at,
      };
      return [
        [
          'github issues',
          { ...common, action: 'labeled', issue: { ...about, labels: labels.map((name) => ({ name })) } },
        ],
        ['github issue_comment', { ...common, action: 'created', issue: about, comment }],
      ];
    },
    [Symbol.asyncDispose]: async () => await github[Symbol.asyncDispose](),
  };
}

async function gitlabSite(): Promise<Site> {
  const gitlab = await startFakeGitLab();
  gitlab.addUser('ann');
  const project = await gitlab.project(PATH);
  const issueAt = (iid: number) => project.issues.find((each) => each.iid === iid)!;
  return {
    url: gitlab.url,
    token: gitlab.botToken,
    requests: gitlab.requests,
    labelled: (title) => {
      const iid = project.issues.length + 1;
      project.issues.push({
        iid,
        title,
        description: randomUUID(),
        state: 'opened',
        author: 'ann',
        labels: ['autocode'],
        notes: [],
        marks: [{ by: 'root', label: 'autocode' }],
        changedAt: now(),
      });
      return iid;
    },
    comment: (issue, author, body) =>
      void issueAt(issue).notes.push({ author, body, system: false, at: now() }),
    said: (issue) =>
      issueAt(issue).notes.map(({ author, body, emoji = [] }) => ({ author, body, reactions: emoji })),
    forget: (issue) => void issueAt(issue).notes.pop(),
    remove: (issue) => void project.issues.splice(project.issues.indexOf(issueAt(issue)), 1),
    team: (name, members) => void gitlab.state.groups.set(name, members),
    rename: (to) => gitlab.rename(project.path, to),
    pageMax: (most) => void (gitlab.state.pageMax = most),
    refusePage: () => gitlab.refuseNext(/[?&]page=2/),
    unchanged: gitlab.unchanged,
    hooks: (number) => {
      const { title, description, labels, notes } = issueAt(number);
      const url = `${gitlab.url}/${project.path}/-/issues/${number}`;
      const common = { project: { path_with_namespace: project.path } };
      const issue = { iid: number, url, title, description, state: 'opened', action: 'update', author_id: 3 };
      const last = notes.at(-1)!;
      const note = { id: last.id, note: last.body, noteable_type: 'Issue', url, created_at: last.at };
      return [
        [
          'gitlab Issue Hook',
          {
            ...common,
            object_kind: 'issue',
            user: { id: 1, username: 'root' },
            object_attributes: issue,
            labels: labels.map((label) => ({ title: label })),
          },
        ],
        [
          'gitlab Note Hook',
          {
            ...common,
            object_kind: 'note',
            user: { id: 3, username: last.author },
            object_attributes: note,
            issue: { iid: number },
          },
        ],
      ];
    },
    [Symbol.asyncDispose]: async () => await gitlab[Symbol.asyncDispose](),
  };
}
