// `autocode user …`.
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { NewPerson, Person, PersonLink, PersonRole, Session } from '../../protocol/person.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { relativeTime } from './format.ts';
import { print, printJson, table } from './output.ts';
import { show } from './redraw.ts';

type Named = GlobalArgs & { name: string };
type Rights = Named & { role: string | undefined; project: string[]; email: string | undefined };

/** Makes a person and prints the link: alone on stdout, so that a script can catch it. */
export async function createUser(args: Rights): Promise<void> {
  const { name } = args;
  const role = roleOf(args.role);
  const projects = Object.entries(projectRoles(args.project)).filter(([, each]) => each !== null);
  if ((role ?? null) === null && projects.length === 0)
    throw new AutocodeError('ERR_INVALID_INPUT', `${name} would not be allowed to do anything.`, {
      remedy: 'Say --role viewer|operator|admin, or --project PROJECT=ROLE.',
    });
  const email = emailOf(args.email);
  const input = { name, role: role ?? null, projects: Object.fromEntries(projects), ...email };
  const made = await connect(args).send('POST', '/people', NewPerson, input);
  if (args.json) return printJson(made);
  printLink(`${name} sets a password`, made.link);
}

/** Lists people. */
export async function listUsers(args: GlobalArgs): Promise<void> {
  await show(args, () => connect(args).get('/people', z.array(Person)), drawPeople);
}

/** Shows a person. */
export async function showUser(args: Named): Promise<void> {
  await show(args, () => connect(args).get(`/people/${encodeURIComponent(args.name)}`, Person), drawPerson);
}

/** Changes what a person may do. */
export async function setUser(args: Rights): Promise<void> {
  const role = roleOf(args.role);
  const projects = projectRoles(args.project);
  const changes = { ...(role === undefined ? {} : { role }), projects, ...emailOf(args.email) };
  await patch(args, changes, (person) => drawPerson(person));
}

/** Disables a person. */
export async function disableUser(args: Named): Promise<void> {
  await patch(args, { disabled: true }, ({ name }) => `${name} is signed out and cannot sign in.`);
}

/** Enables a person. */
export async function enableUser(args: Named): Promise<void> {
  await patch(args, { disabled: false }, ({ name }) => `${name} can sign in again.`);
}

/** Prints a new link to set a password. */
export async function resetUser(args: Named): Promise<void> {
  const path = `/people/${encodeURIComponent(args.name)}/links`;
  const link = await connect(args).send('POST', path, PersonLink);
  if (args.json) return printJson(link);
  printLink(`${args.name} sets a new password`, link);
}

/** Lists open sessions. */
export async function listSessions(args: GlobalArgs & { name: string | undefined }): Promise<void> {
  const sessions = () => connect(args).get('/sessions', z.array(Session), { person: args.name });
  await show(args, sessions, drawSessions);
}

/** Ends a session. */
export async function revokeSession(args: GlobalArgs & { id: number }): Promise<void> {
  await connect(args).send('DELETE', `/sessions/${args.id}`, z.unknown());
  if (args.json) return printJson({ ended: args.id });
  print(`Session ${args.id} is over.`);
}

async function patch(args: Named, body: object, told: (person: Person) => string): Promise<void> {
  const path = `/people/${encodeURIComponent(args.name)}`;
  const person = await connect(args).send('PATCH', path, Person, body);
  if (args.json) return printJson(person);
  print(told(person));
}

function printLink(what: string, { url, expiresAt }: PersonLink): void {
  process.stderr.write(`${what} with this link, once, until ${expiresAt}:\n`);
  print(url);
}

function roleOf(role: string | undefined): PersonRole | null | undefined {
  return role === undefined ? undefined : role === 'none' ? null : PersonRole.parse(role);
}

function emailOf(email: string | undefined): { email?: string | null } {
  return email === undefined ? {} : { email: email === 'none' ? null : email };
}

function projectRoles(given: string[]): Record<string, PersonRole | null> {
  return Object.fromEntries(
    given.map((each) => {
      const [project = '', role] = each.split('=', 2);
      const known = PersonRole.safeParse(role);
      if (role !== 'none' && !known.success)
        throw new AutocodeError('ERR_INVALID_INPUT', `--project ${each} names no role.`, {
          remedy: 'Write it as PROJECT=viewer, PROJECT=operator, PROJECT=admin or PROJECT=none.',
        });
      return [project, known.data ?? null];
    }),
  );
}

function rightsOf({ role, projects }: Person): string {
  const single = Object.entries(projects).map(([project, each]) => `${project}=${each}`);
  return [...(role === null ? [] : [role]), ...single].join(', ') || '–';
}

function drawPeople(people: Person[]): string {
  if (people.length === 0) return 'No people. `autocode user create NAME --role admin` makes the first.';
  return table(people, [
    { title: 'NAME', value: (person) => person.name },
    { title: 'ROLE', value: rightsOf },
    { title: 'SIGNS IN WITH', value: waysOf },
    { title: 'SESSIONS', value: (person) => String(person.sessions), align: 'right' },
    { title: 'SEEN', value: (person) => relativeTime(person.lastSeenAt) },
    { title: 'STATE', value: (person) => (person.disabledAt === null ? 'active' : 'disabled') },
  ]);
}

function waysOf({ provider, password }: Person): string {
  if (provider !== null) return new URL(provider).host;
  return password ? 'password' : 'link not used';
}

function drawPerson(person: Person): string {
  return [
    `${person.name}: ${rightsOf(person)}`,
    `signs in with: ${waysOf(person)}`,
    ...(person.email === null ? [] : [`email: ${emailWords(person)}`]),
    `made by ${person.createdBy} ${relativeTime(person.createdAt)}`,
    `open sessions: ${person.sessions}, last seen ${relativeTime(person.lastSeenAt)}`,
    ...(person.disabledAt === null ? [] : [`disabled ${relativeTime(person.disabledAt)}`]),
  ].join('\n');
}

function emailWords({ email, emailConfirmed, emailByProvider }: Person): string {
  return `${email}${emailByProvider ? ', as the provider says' : emailConfirmed ? '' : ', not confirmed yet'}`;
}

function drawSessions(sessions: Session[]): string {
  if (sessions.length === 0) return 'Nobody is signed in.';
  return table(sessions, [
    { title: 'ID', value: (session) => String(session.id), align: 'right' },
    { title: 'PERSON', value: (session) => session.person },
    { title: 'BY', value: (session) => session.how },
    { title: 'FROM', value: (session) => session.address },
    { title: 'BEGAN', value: (session) => relativeTime(session.createdAt) },
    { title: 'USED', value: (session) => relativeTime(session.lastSeenAt) },
    { title: 'WITH', value: (session) => session.userAgent },
  ]);
}
