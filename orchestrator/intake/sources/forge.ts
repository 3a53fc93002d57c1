// GitHub, GitLab and Gitea: issues that are labelled or assigned, comments that mention us, reviews of our pull requests, checks
// of them that failed. Deliveries come by the webhook that a forge has anyway (/webhooks/<kind>/<forge>), or the forge is asked;
// both give the same facts, and so the same keys.
import { ForgeFact } from '../../repos/forge/facts.ts';
import { kindNamed } from '../../repos/forge/kinds.ts';
import { FORGE_KINDS } from '../../../protocol/project.ts';
import { askForge } from '../forge-poll.ts';
import { FACT, ForgeSourceSettings, keyOfFact } from '../forge-source.ts';
import type { RawDelivery, Source, SourceKind } from '../source.ts';
import { isTeam } from '../teams.ts';
import type { WorkItem } from '../work-item.ts';
import { forgeAnswers, OWN_MARK } from './forge-answers.ts';

/** A forge's issues, comments, reviews and checks. */
export const forge: SourceKind<ForgeSourceSettings> = {
  name: 'forge',
  about: {
    what: 'Issues, comments, reviews and checks of GitHub, GitLab or Gitea',
    farSide:
      'Nothing while the forge is asked. To be told at once, tick more events at the webhook that the forge has for its pull requests: issues, comments, reviews and checks.',
  },
  settings: ForgeSourceSettings,
  needsProject: false,
  scope: ({ settings }) => `forge ${settings.forge}`,
  parse: (source, delivery) =>
    factsOf(delivery)
      .filter((fact) => isWatched(source, fact))
      .flatMap((fact) => itemOf(source, fact) ?? []),
  poll: { everySeconds: ({ settings }) => settings.pollSeconds, via: 'poll', ask: askForge },
  answers: forgeAnswers,
  test: async ({ settings, trust }, { forges }, signal) => {
    const known = (await forges.known()).some(({ name }) => name === settings.forge);
    const detail = known ? `${settings.forge} is known` : `there is no forge ${settings.forge}`;
    const teams = known ? trust.actors.filter(isTeam) : [];
    const checks = teams.map(async (team) =>
      forges.members(settings.forge, team, signal).then(
        (members) => ({ name: `team ${team}`, ok: true, detail: `${members.length} members` }),
        (error: Error) => ({ name: `team ${team}`, ok: false, detail: error.message }),
      ),
    );
    return [{ name: 'forge', ok: known, detail }, ...(await Promise.all(checks))];
  },
};

// The event of a webhook names the kind of forge too, as `gitea issues`.
function factsOf({ event, body }: RawDelivery): ForgeFact[] {
  const document: unknown = JSON.parse(body.toString());
  if (event === FACT) return [ForgeFact.parse(document)];
  const [kind, ...rest] = event.split(' ');
  const known = FORGE_KINDS.find((each) => each === kind);
  return known === undefined ? [] : kindNamed(known).webhook.facts(rest.join(' '), document);
}

function isWatched(
  { settings: { repositories } }: Source<ForgeSourceSettings>,
  { path }: ForgeFact,
): boolean {
  return repositories?.some((each) => each.toLowerCase() === path.toLowerCase()) ?? true;
}

/** What follows from a fact; undefined where nothing is to. */
function itemOf({ settings }: Source<ForgeSourceSettings>, fact: ForgeFact): WorkItem | undefined {
  const { path, by, url } = fact;
  const at = fact.at === null ? null : new Date(fact.at);
  const common = {
    key: keyOfFact(fact),
    actor: by,
    byRight: false,
    at,
    place: { forge: settings.forge, path },
  };
  // Issues and pull requests may be numbered each for themselves.
  const onChange = fact.what === 'review' || (fact.what === 'comment' && fact.onChange);
  const subject = 'number' in fact ? `${path.toLowerCase()}${onChange ? '!' : '#'}${fact.number}` : null;
  if (fact.what === 'issue') {
    if (!isWanted(settings, fact)) return undefined;
    const { title, text, number, byRight } = fact;
    const what = `the issue ${url}`;
    const { priority } = settings;
    return { ...common, kind: 'task', subject, title, text, what, byRight, priority, issue: { url, number } };
  }
  if (fact.what === 'check') {
    if (!settings.checks) return undefined;
    const title = `The check ${fact.name} failed`;
    const text = `${title}\n\n${fact.text}`;
    const change = fact.branch === null ? { commit: fact.commit } : { branch: fact.branch };
    // Nobody says it: the forge tells what a program of the repository found.
    return {
      ...common,
      actor: null,
      kind: 'message',
      subject,
      title,
      text,
      what: `a check of the pull request (${url})`,
      change,
    };
  }
  if (fact.text.includes(OWN_MARK)) return undefined;
  if (fact.what === 'comment') {
    if (!fact.text.toLowerCase().includes(settings.mention.toLowerCase())) return undefined;
    const about = fact.onChange ? { change: { number: fact.number } } : {};
    const issue = fact.onChange ? {} : { issue: { url, number: fact.number } };
    const title = `Comment by ${by}`;
    return {
      ...common,
      kind: 'message',
      subject,
      title,
      text: fact.text,
      what: `the comment ${url}`,
      ...about,
      ...issue,
    };
  }
  if (!settings.reviews) return undefined;
  const says = {
    'changes-requested': 'a review that asks for changes',
    commented: 'a review',
    line: 'a review comment',
  };
  const where = fact.place === null ? '' : `${fact.place}:\n\n`;
  const text = `${where}${fact.text}`.trim() || 'Changes are requested, without words.';
  const what = `${says[fact.says]} of the pull request (${url})`;
  return {
    ...common,
    kind: 'message',
    subject,
    title: `Review by ${by}`,
    text,
    what,
    change: { number: fact.number },
  };
}

function isWanted(
  { labels, assignee }: ForgeSourceSettings,
  issue: Extract<ForgeFact, { what: 'issue' }>,
): boolean {
  const lower = (names: string[]) => names.map((name) => name.toLowerCase());
  const labelled = lower(labels).some((label) => lower(issue.labels).includes(label));
  return labelled || (assignee !== undefined && lower(issue.assignees).includes(assignee.toLowerCase()));
}
