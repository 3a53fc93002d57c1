// How people sign in: how long sessions and links hold, and an OpenID provider. Part of schema.ts.
import { z } from 'zod';
import { Name } from '../../protocol/ids.ts';
import { PersonRole } from '../../protocol/person.ts';

const LOOPBACK = /^http:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/]|$)/;

export const OidcSettings = z.strictObject({
  name: z.string().min(1).max(60).default('single sign-on').describe('What the button on the page calls it.'),
  issuer: z
    .url({ protocol: /^https?$/, error: 'use an https address' })
    .refine((url) => url.startsWith('https:') || LOOPBACK.test(url), 'use an https address')
    .describe('Address of the provider; `/.well-known/openid-configuration` below it tells the rest.'),
  clientId: z.string().min(1).describe('What Autocode is called there.'),
  clientSecret: Name.optional().describe(
    'Name of the secret with the secret of the client; a public client has none.',
  ),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'use a scope, without spaces'))
    .default(['openid', 'profile', 'email'])
    .describe('What is asked for; some providers tell the groups only by a scope of its own.'),
  groupsClaim: z.string().min(1).default('groups').describe('Claim with the groups of a person.'),
  roles: z
    .array(
      z.strictObject({
        group: z.string().min(1).describe('A group of the provider.'),
        role: PersonRole.describe('What its members may do.'),
        project: Name.optional().describe('In this project alone; in all when left out.'),
      }),
    )
    .default([])
    .describe('Roles by group; who is in none of the groups does not get in.'),
});
export type OidcSettings = z.infer<typeof OidcSettings>;

export const SignInSettings = z.strictObject({
  idleMinutes: z
    .number()
    .positive()
    .max(525_600)
    .default(720)
    .describe('A session that was not used for so long is over.'),
  sessionDays: z
    .number()
    .positive()
    .max(365)
    .default(7)
    .describe('A session is over after so long, used or not.'),
  linkHours: z
    .number()
    .positive()
    .max(720)
    .default(24)
    .describe('How long the one-time link holds with which a person sets a password.'),
  oidc: OidcSettings.optional().describe('An OpenID provider that people sign in with, besides passwords.'),
});
export type SignInSettings = z.infer<typeof SignInSettings>;
