// Asks a server without a credential what it is. Used by the kinds of forges.

const TIMEOUT_MS = 10_000;

/** What an address answers: its status, headers and JSON (undefined when it is none); throws when nothing answers. */
export async function probe(
  url: string,
  signal?: AbortSignal,
): Promise<{ status: number; headers: Record<string, unknown>; content: unknown }> {
  const { default: got } = await import('got');
  const { statusCode, headers, body } = await got(url, {
    timeout: { request: TIMEOUT_MS },
    retry: { limit: 0 },
    throwHttpErrors: false,
    ...(signal === undefined ? {} : { signal }),
  });
  return { status: statusCode, headers, content: jsonOf(body) };
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
