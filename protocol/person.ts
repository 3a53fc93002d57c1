// People who sign in, their sessions and tokens, and the record of who changed what.
import { z } from 'zod';
import { Name, Timestamp } from './ids.ts';
import { EmailAddress } from './notification-ways.ts';
import { text } from './text.ts';

/** Roles of people; what each opens is told at `Role`. */
export const PERSON_ROLES = ['viewer', 'operator', 'admin'] as const;
export const PersonRole = z.enum(PERSON_ROLES);
export type PersonRole = z.infer<typeof PersonRole>;

const projects = z
  .record(Name, PersonRole)
  .meta({ description: 'Roles in single projects, besides the one in all.' });
const role = PersonRole.nullable().meta({
  description: 'Role in all projects; null for someone who has only those of `projects`.',
});

const email = EmailAddress.nullable().meta({
  description: 'Where notifications may be sent, if the person wants that.',
});

export const PersonInput = z
  .strictObject({
    name: Name,
    role: role.default(null),
    projects: projects.default({}),
    email: email.default(null),
  })
  .meta({ id: 'PersonCreate' });
export type PersonInput = z.infer<typeof PersonInput>;

export const PersonPatch = z
  .strictObject({
    role: role.optional(),
    projects: z.record(Name, PersonRole.nullable()).optional().meta({
      description: 'Roles in single projects to set; null takes one away. Others stay.',
    }),
    email: email.optional(),
    disabled: z.boolean().optional().meta({ description: 'A disabled person is signed out at once.' }),
  })
  .meta({ id: 'PersonPatch' });
export type PersonPatch = z.infer<typeof PersonPatch>;

export const Person = z
  .object({
    id: z.number().int(),
    name: z.string(),
    role: PersonRole.nullable(),
    projects: z.record(z.string(), PersonRole),
    email: z.string().nullable(),
    emailConfirmed: z.boolean().meta({
      description:
        'Nothing is sent to an address that is not. One that an admin sets, or the provider says, is.',
    }),
    emailByProvider: z.boolean().meta({ description: 'The address follows the provider.' }),
    provider: z.string().nullable().meta({ description: 'The OpenID provider that signs this person in.' }),
    password: z.boolean().meta({ description: 'Whether a password is set.' }),
    sessions: z.number().int().meta({ description: 'Open ones.' }),
    createdBy: z.string(),
    createdAt: Timestamp,
    disabledAt: Timestamp.nullable(),
    lastSeenAt: Timestamp.nullable(),
  })
  .meta({ id: 'Person' });
export type Person = z.infer<typeof Person>;

/** A link is shown once, and opened once. */
export const PersonLink = z
  .object({
    url: z.string().meta({ description: 'Where the person sets a password, once.' }),
    expiresAt: Timestamp,
  })
  .meta({ id: 'PersonLink' });
export type PersonLink = z.infer<typeof PersonLink>;

export const NewPerson = z.object({ person: Person, link: PersonLink }).meta({ id: 'NewPerson' });
export type NewPerson = z.infer<typeof NewPerson>;

/** The shortest password; longer than any list of common ones is worth trying within the limits on guesses. */
export const PASSWORD_MIN = 12;
const Password = text().min(PASSWORD_MIN, `use at least ${PASSWORD_MIN} characters`).max(1024);

/** Lengths are bounded only: what is wrong with a name or a password is not told to whoever guesses. */
export const SignInInput = z
  .strictObject({ name: text().max(200), password: text().max(1024) })
  .meta({ id: 'SignIn' });
export type SignInInput = z.infer<typeof SignInInput>;

export const WelcomeInput = z.strictObject({ code: text().max(100), password: Password }).meta({
  id: 'Welcome',
});
export type WelcomeInput = z.infer<typeof WelcomeInput>;

export const PasswordChange = z
  .strictObject({ current: text().max(1024), password: Password })
  .meta({ id: 'PasswordChange' });
export type PasswordChange = z.infer<typeof PasswordChange>;

/** Ways to sign in, for whoever is not signed in. */
export const SignInWays = z
  .object({ provider: z.string().nullable().meta({ description: 'Name of the OpenID provider, or null.' }) })
  .meta({ id: 'SignInWays' });
export type SignInWays = z.infer<typeof SignInWays>;

/** Why a sign-in by the provider did not end in a session, as the page is told by `?problem=`. */
export const SIGN_IN_PROBLEMS = [
  'no-provider',
  'provider-away',
  'sign-in-over',
  'no-role',
  'failed',
] as const;
export type SignInProblem = (typeof SIGN_IN_PROBLEMS)[number];

/** Who asks, as the page needs to know it. */
export const SignedIn = z
  .object({
    user: z.object({
      name: z.string(),
      role: PersonRole.nullable(),
      projects: z.record(z.string(), PersonRole),
      person: z.boolean().meta({ description: 'False for a token that belongs to no person.' }),
      password: z.boolean().meta({ description: 'Whether this person signs in with a password.' }),
    }),
    session: z.number().int().nullable(),
    csrf: z.string().nullable().meta({
      description:
        'To be sent as `x-csrf-token` with each change that is asked for by cookie; null for a token.',
    }),
    expiresAt: Timestamp.nullable(),
  })
  .meta({ id: 'SignedIn' });
export type SignedIn = z.infer<typeof SignedIn>;

export const Session = z
  .object({
    id: z.number().int(),
    person: z.string(),
    how: z.enum(['password', 'link', 'oidc']),
    address: z.string(),
    userAgent: z.string(),
    createdAt: Timestamp,
    lastSeenAt: Timestamp,
    expiresAt: Timestamp,
    current: z.boolean().meta({ description: 'The one that this request came with.' }),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof Session>;

export const OwnTokenInput = z
  .strictObject({
    name: text().min(1).max(100),
    role: PersonRole.meta({ description: 'At most what it opens; never more than the person may.' }),
    expiresInDays: z.number().positive().max(3650).optional(),
  })
  .meta({ id: 'OwnTokenCreate' });
export type OwnTokenInput = z.infer<typeof OwnTokenInput>;

export const AuditRecord = z
  .object({
    id: z.number().int(),
    at: Timestamp,
    actor: z.string().nullable().meta({ description: 'Name of a person or a token; null: nobody known.' }),
    session: z.number().int().nullable(),
    token: z.number().int().nullable(),
    role: z.string().nullable(),
    address: z.string(),
    method: z.string(),
    route: z.string(),
    target: z.record(z.string(), z.string()),
    project: z.string().nullable(),
    status: z.number().int().nullable().meta({
      description: 'Of the answer; null: it is under way, or the daemon ended before it was answered.',
    }),
    code: z.string().nullable().meta({ description: 'Code of the error, where it was refused.' }),
    request: z.string(),
  })
  .meta({ id: 'AuditRecord' });
export type AuditRecord = z.infer<typeof AuditRecord>;
