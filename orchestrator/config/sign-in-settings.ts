// How people sign in: how long sessions and links hold, and an OpenID provider. Part of schema.ts.
import { z } from 'zod';

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
});
export type SignInSettings = z.infer<typeof SignInSettings>;
