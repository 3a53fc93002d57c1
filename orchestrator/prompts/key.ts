// The age key of kept prompts, a secret among the others: whoever removes it makes all that was sealed with it unreadable.
import type { SecretManager } from '../secrets/secret-manager.ts';

const NAME = 'prompts-key';

/** The key that opens kept prompts; made when it is first asked for. */
export async function promptsKey(secrets: SecretManager): Promise<string> {
  for (;;) {
    const key = await secrets.get(NAME);
    if (key !== undefined) return key.value;
    const { generateX25519Identity } = await import('age-encryption');
    await secrets
      .put(NAME, await generateX25519Identity(), { expectedVersion: 0 })
      .catch((error: unknown) => {
        // Another process was faster: its key is there now.
        if ((error as { code?: string }).code !== 'ERR_CONFLICT') throw error;
      });
  }
}
