// Signing in by an OpenID provider: authorization code with PKCE, state and nonce; one browser, one use. Loaded only where
// `signIn.oidc` is configured. Used by the API.
import { randomBytes } from 'node:crypto';
import * as oidc from 'openid-client';
import { AutocodeError } from '../../protocol/errors.ts';
import { hashOf } from '../access/tokens.ts';
import type { OidcSettings } from '../config/sign-in-settings.ts';
import { sqlState, transaction, type Database } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { requireSecret, type SecretManager } from '../secrets/secret-manager.ts';
import { admitFromProvider, type Claims } from './provider-person.ts';
import { beginSession, type Lifetime, type Origin } from './sessions.ts';

const TIMEOUT_SECONDS = 10;
const ATTEMPT_MINUTES = 10;
/** How long what the provider says of itself is believed. */
const KNOWN_MS = 3_600_000;

export interface Provider {
  /** Begins a sign-in: where to send the browser, and the cookie by which it is known again. */
  begin(redirectUri: string, returnTo: string): Promise<{ url: URL; browser: string }>;
  /** Ends it with what the provider sent the browser back with: the cookie of a session, and where to go on. */
  finish(
    current: URL,
    browser: string | null,
    origin: Origin,
    lifetime: Lifetime,
  ): Promise<{ cookie: string; returnTo: string }>;
}

/** The configured provider; it is asked for nothing before somebody signs in. */
export function openProvider(
  db: Database,
  secrets: Pick<SecretManager, 'get'>,
  settings: OidcSettings,
): Provider {
  let known: { until: number; configuration: oidc.Configuration } | undefined;
  const discover = async () => {
    if (known !== undefined && known.until > performance.now()) return known.configuration;
    const secret = settings.clientSecret && (await requireSecret(secrets, settings.clientSecret));
    const configuration = await oidc
      .discovery(new URL(settings.issuer), settings.clientId, secret, undefined, {
        timeout: TIMEOUT_SECONDS,
        // The configuration takes http on loopback alone.
        execute: settings.issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : [],
      })
      .catch((error: unknown) => {
        throw away(settings.issuer, error);
      });
    known = { until: performance.now() + KNOWN_MS, configuration };
    return configuration;
  };
  return {
    async begin(redirectUri, returnTo) {
      const configuration = await discover();
      const [state, nonce, verifier] = [
        oidc.randomState(),
        oidc.randomNonce(),
        oidc.randomPKCECodeVerifier(),
      ];
      const browser = randomBytes(32).toString('base64url');
      await db.query(
        `insert into oidc_attempt (hash, browser, nonce, verifier, return_to, expires_at)
         values ($1, $2, $3, $4, $5, now() + interval '${ATTEMPT_MINUTES} minutes')`,
        [hashOf(state), hashOf(browser), nonce, verifier, returnTo],
      );
      const url = oidc.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: settings.scopes.join(' '),
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      return { url, browser };
    },
    async finish(current, browser, origin, lifetime) {
      const state = current.searchParams.get('state') ?? '';
      const attempt = await takeAttempt(db, state, browser);
      const configuration = await discover();
      const claims = await claimsOf(configuration, settings, current, { ...attempt, state }).catch(
        (error: unknown) => {
          known = undefined; // its secret, its keys or its addresses may have changed
          throw refusedBy(settings.issuer, error);
        },
      );
      const cookie = await transaction(db, async (tx) => {
        const admitted = await admitFromProvider(tx, settings, claims);
        if (admitted === null) return null;
        await emit(tx, { kind: 'person.signed-in', data: { person: admitted.name, how: 'oidc' } });
        return await beginSession(tx, admitted.id, 'oidc', origin, lifetime);
      });
      if (cookie !== null) return { cookie, returnTo: attempt.returnTo };
      await emit(db, { kind: 'person.refused', data: { person: claims.sub, how: 'oidc' } });
      throw new AutocodeError('ERR_FORBIDDEN', 'The provider knows you, but you may not use Autocode.', {
        remedy: 'Ask an admin: signIn.oidc.roles names groups that may, and people can be disabled.',
      });
    },
  };
}

/** Takes the attempt away, whatever becomes of it: a callback is played once, in the browser that began. */
async function takeAttempt(
  db: Database,
  state: string,
  browser: string | null,
): Promise<{ nonce: string; verifier: string; returnTo: string }> {
  const { rows } = await db.query(
    `delete from oidc_attempt where hash = $1 and browser = $2
     returning nonce, verifier, return_to as "returnTo", expires_at <= now() as late`,
    [hashOf(state), hashOf(browser ?? '')],
  );
  if (rows[0] !== undefined && !rows[0].late) return rows[0];
  throw new AutocodeError('ERR_UNAUTHENTICATED', 'This sign-in is over, or began in another browser.', {
    remedy: `Sign in again, within ${ATTEMPT_MINUTES} minutes.`,
  });
}

async function claimsOf(
  configuration: oidc.Configuration,
  { groupsClaim, scopes }: OidcSettings,
  current: URL,
  { state, nonce, verifier }: { state: string; nonce: string; verifier: string },
): Promise<Claims> {
  const tokens = await oidc.authorizationCodeGrant(configuration, current, {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
  });
  const claims = tokens.claims()!;
  const wanted = [groupsClaim, ...(scopes.includes('email') ? ['email'] : [])];
  const told = wanted.every((claim) => claim in claims);
  if (told || configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
  return { ...claims, ...(await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub)) };
}

function away(issuer: string, cause: unknown): AutocodeError {
  return new AutocodeError('ERR_PROVIDER_UNAVAILABLE', `The provider ${issuer} does not answer as one.`, {
    remedy:
      'Sign in with a password, or try again later; an authority of its own has to be in NODE_EXTRA_CA_CERTS of the daemon.',
    cause,
  });
}

// No answer at all is its absence; anything else is a refusal, by it or by what we expect of it.
function refusedBy(issuer: string, cause: unknown): AutocodeError {
  const inner = (cause as { cause?: unknown }).cause;
  if (cause instanceof TypeError || sqlState(inner).startsWith('ECONN')) return away(issuer, cause);
  const told = cause instanceof oidc.AuthorizationResponseError ? `: ${cause.error}` : '';
  return new AutocodeError('ERR_UNAUTHENTICATED', `The sign-in by ${issuer} was not good${told}.`, {
    remedy: 'Try again; the log of the daemon tells what was wrong.',
    cause,
  });
}
