// Whether an engine answers what the gateway will ask of it: one token over OpenAI's interface. Used by the engines that
// speak it through somebody else's server.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Handle, Health } from './managed.ts';

const TOKEN_MS = 30_000;

/** Asks for one token, or for the embedding of one; throws when nobody answers. */
export async function oneToken({ endpoint, served }: Handle, signal: AbortSignal): Promise<Health> {
  const generated = await ask(
    `${endpoint}/v1/completions`,
    { model: served, prompt: '1', max_tokens: 1 },
    signal,
  );
  if (generated.status === 200) return { state: 'ready' };
  if (generated.status === 404 || generated.status >= 500) return notYet(generated);
  const embedded = await ask(`${endpoint}/v1/embeddings`, { model: served, input: '1' }, signal);
  return embedded.status === 200 ? { state: 'ready' } : notYet(generated);
}

const notYet = ({ status, text }: { status: number; text: string }): Health => ({
  state: 'loading',
  detail: `it answers ${status} when it is asked for a token: ${text.trim().replaceAll(/\s+/g, ' ').slice(0, 300)}`,
});

async function ask(
  url: string,
  body: object,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const late = AbortSignal.timeout(TOKEN_MS);
  try {
    const { request } = await import('undici');
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, late]),
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  } catch (cause) {
    signal.throwIfAborted();
    const reason = late.aborted ? `no token within ${TOKEN_MS / 1000} s` : (cause as Error).message;
    throw new AutocodeError('ERR_ENGINE_UNAVAILABLE', `${new URL(url).origin} does not answer: ${reason}.`, {
      remedy: 'Check that the address in models.local is the one that the server listens on.',
      cause,
    });
  }
}
