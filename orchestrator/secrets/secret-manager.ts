// What keeps secrets: the interface that the file store fills, and Vault where there is one.
// Used by engines (API keys), forges and whoever else needs one; values are never logged and never in an error.
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { SecretName } from '../../protocol/secret.ts';

export interface Secret {
  value: string;
  version: number;
}

/** What may be shown of a secret. */
export interface SecretVersion {
  name: string;
  version: number;
  createdAt: Date;
}

export interface SecretManager {
  /** The newest version; undefined when there is none. */
  get(name: string): Promise<Secret | undefined>;
  /**
   * Writes a new version and answers its number. With `expectedVersion` (0: the secret is new) the write happens
   * only if that is still the newest one; otherwise ERR_CONFLICT.
   */
  put(name: string, value: string, options?: { expectedVersion?: number }): Promise<number>;
  /** The newest version of each, by name, without values. */
  list(): Promise<SecretVersion[]>;
  /** All versions of one, the newest first, without values. */
  history(name: string): Promise<SecretVersion[]>;
  /** Removes a secret with all its versions; false when there was none. */
  delete(name: string): Promise<boolean>;
}

/** The value of a secret that something needs; ERR_SECRET says how to put it there. */
export async function requireSecret(secrets: Pick<SecretManager, 'get'>, name: string): Promise<string> {
  const secret = await secrets.get(name);
  if (secret !== undefined) return secret.value;
  throw new AutocodeError('ERR_SECRET', `There is no secret named ${name}.`, {
    remedy: `Put it there, or correct the name in the configuration (\`autocode config show\`).`,
  });
}

/** Of a write that expected another version. */
export function conflict(name: string, expected: number, newest: number): AutocodeError {
  return new AutocodeError('ERR_CONFLICT', `The secret ${name} is at version ${newest}, not ${expected}.`, {
    remedy: 'Read it again and decide anew.',
    details: { version: newest },
  });
}

/** Refuses what is no name: it becomes a part of a path. */
export function checkSecretName(name: string): void {
  const checked = SecretName.safeParse(name);
  if (checked.success) return;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `${JSON.stringify(name.slice(0, 80))} is no name for a secret.`,
    {
      remedy: z.prettifyError(checked.error),
    },
  );
}
