// The REST interface of a Ray cluster's dashboard, as far as Ray Serve needs it: what runs, what is to run, uploaded code,
// metrics. Used by ray-serve.ts. Every call has its time, and every failure says what to do.
import { once } from 'node:events';
import { connect } from 'node:net';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';

/** One application as it is declared; those of others are passed back as they are. */
const ApplicationConfig = z.looseObject({ name: z.string() });
export type ApplicationConfig = z.infer<typeof ApplicationConfig>;

const Application = z.looseObject({
  status: z.string(),
  message: z.string().nullish(),
  /** Null for one that was started by `serve.run`: a declaration neither names nor ends it. */
  deployed_app_config: ApplicationConfig.nullish(),
  deployments: z.record(
    z.string(),
    z.looseObject({
      status: z.string(),
      message: z.string().nullish(),
      replicas: z.array(z.looseObject({ state: z.string(), pid: z.number().nullish() })).default([]),
    }),
  ),
});
export type Application = z.infer<typeof Application>;

const ServeDetails = z.looseObject({
  proxy_location: z.string().nullish(),
  http_options: z.looseObject({ host: z.string(), port: z.number() }).nullish(),
  target_capacity: z.number().nullish(),
  applications: z.record(z.string(), Application),
});
export type ServeDetails = z.infer<typeof ServeDetails>;

const Targets = z.array(z.looseObject({ targets: z.array(z.string()) }));

const APPLICATIONS = '/api/serve/applications/';
const READ_MS = 15_000;
const LOOK_MS = 5_000;
// The first declaration of a cluster starts Serve itself.
const WRITE_MS = 60_000;
interface Asked {
  to?: string;
  body?: string | Uint8Array;
  ms: number;
  signal: AbortSignal | undefined;
}

/** A client of the dashboard at `address`; where nothing runs yet, Serve will listen on `serveUrl`. */
export function rayClient({ address, serveUrl }: { address: string; serveUrl: string }) {
  let writing: Promise<unknown> = Promise.resolve();

  const send = async (
    method: 'GET' | 'PUT',
    path: string,
    { to = address, body, ms, signal }: Asked,
  ): Promise<{ status: number; text: string }> => {
    const late = AbortSignal.timeout(ms);
    try {
      const { request } = await import('undici');
      const answer = await request(to.replace(/\/+$/, '') + path, {
        method,
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
        ...(body === undefined ? {} : { body, headers: { 'content-type': contentType(body) } }),
      });
      return { status: answer.statusCode, text: await answer.body.text() };
    } catch (cause) {
      signal?.throwIfAborted();
      const reason = late.aborted ? `no answer within ${ms / 1000} s` : reasonOf(cause);
      throw to === address ? away(address, reason, cause) : serveAway(serveUrl, reason, cause);
    }
  };
  const applications = async (signal?: AbortSignal): Promise<ServeDetails> => {
    const answer = await send('GET', APPLICATIONS, { ms: READ_MS, signal });
    if (answer.status !== 200) throw refused(address, answer);
    return parsed(ServeDetails, address, answer.text);
  };

  return {
    /** All that runs, ours and others'. */
    applications,

    /**
     * Declares what is to run. A declaration holds all applications of the cluster, so it is read, changed and written back,
     * one at a time; somebody else who declares in the same moment may be lost, as Ray knows no versions.
     */
    declare: async (
      change: (declared: ApplicationConfig[]) => ApplicationConfig[],
      signal?: AbortSignal,
    ): Promise<void> => {
      const write = async () => {
        const now = await applications(signal);
        const kept = Object.values(now.applications).flatMap(({ status, deployed_app_config: config }) =>
          config == null || status === 'DELETING' ? [] : [config],
        );
        const body = JSON.stringify({
          proxy_location: now.proxy_location ?? 'EveryNode',
          http_options: now.http_options ?? listenAt(serveUrl),
          ...(now.target_capacity == null ? {} : { target_capacity: now.target_capacity }),
          applications: change(kept),
        });
        const answer = await send('PUT', APPLICATIONS, { body, ms: WRITE_MS, signal });
        if (answer.status !== 200) throw refused(address, answer);
      };
      const mine = writing.then(write, write);
      writing = mine;
      await mine;
    },

    /** Makes the code known to the cluster's nodes and returns its address there. */
    upload: async (name: string, content: Uint8Array, signal?: AbortSignal): Promise<string> => {
      const path = `/api/packages/gcs/${name}`;
      // Asking for it holds it for some minutes; from then on the application that uses it does.
      const there = await send('GET', path, { ms: READ_MS, signal });
      if (there.status === 404) {
        const answer = await send('PUT', path, { body: content, ms: WRITE_MS, signal });
        if (answer.status !== 200) throw refused(address, answer);
      } else if (there.status !== 200) throw refused(address, there);
      return `gcs://${name}`;
    },

    /** Throws unless Serve itself answers, as it does while it has no application either. */
    proxyAnswers: async (signal?: AbortSignal): Promise<void> => {
      const answer = await send('GET', '/-/healthz', { to: serveUrl, ms: LOOK_MS, signal });
      if (answer.status !== 200) throw refused(serveUrl, answer);
    },

    /** Whether nobody listens any more, neither the dashboard nor Serve. */
    isGone: async (): Promise<boolean> => (await refuses(address)) && (await refuses(serveUrl)),

    /** What all nodes tell of their metrics, as Prometheus reads it. */
    metrics: async (signal?: AbortSignal): Promise<string> => {
      const answer = await send('GET', '/api/prometheus/sd', { ms: LOOK_MS, signal });
      if (answer.status !== 200) throw refused(address, answer);
      const nodes = parsed(Targets, address, answer.text).flatMap(({ targets }) => targets);
      const texts = nodes.map(async (node) => {
        return (await send('GET', '/metrics', { to: `http://${node}`, ms: LOOK_MS, signal })).text;
      });
      return (await Promise.all(texts)).join('\n');
    },
  };
}

async function refuses(url: string): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
    timeout: LOOK_MS,
  });
  try {
    await Promise.race([once(socket, 'connect'), once(socket, 'timeout')]);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

const contentType = (body: string | Uint8Array) =>
  typeof body === 'string' ? 'application/json' : 'application/octet-stream';

function listenAt(serveUrl: string): { host: string; port: number } {
  const { hostname, port, protocol } = new URL(serveUrl);
  const loopback = hostname === 'localhost' || hostname.startsWith('127.') || hostname === '[::1]';
  return {
    host: loopback ? '127.0.0.1' : '0.0.0.0',
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
  };
}

function parsed<T>(schema: z.ZodType<T>, address: string, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new AutocodeError(
      'ERR_ENGINE_UNAVAILABLE',
      `What answers at ${address} is not the dashboard of a Ray cluster.`,
      {
        remedy:
          'Set models.local.ray.address to the dashboard (port 8265 by default), not to the head (6379) or to Serve (8000).',
        cause,
      },
    );
  }
}

function away(address: string, reason: string, cause: unknown): AutocodeError {
  return new AutocodeError(
    'ERR_ENGINE_UNAVAILABLE',
    `The dashboard of the Ray cluster at ${address} does not answer: ${reason}.`,
    {
      remedy:
        'Start the cluster (`ray start --head`, with `pip install "ray[serve]"`), or set models.local.ray.address to its dashboard.',
      cause,
    },
  );
}

function serveAway(serveUrl: string, reason: string, cause: unknown): AutocodeError {
  return new AutocodeError('ERR_ENGINE_UNAVAILABLE', `Ray Serve at ${serveUrl} does not answer: ${reason}.`, {
    remedy:
      'Set models.local.ray.serveUrl to the address on which Serve listens; the dashboard of the cluster shows it.',
    cause,
  });
}

function refused(address: string, { status, text }: { status: number; text: string }): AutocodeError {
  const said = text.trim().replaceAll(/\s+/g, ' ').slice(0, 500);
  const remedy =
    status === 501
      ? 'Install Ray Serve on the head of the cluster: pip install "ray[serve]".'
      : status === 404 || status === 405
        ? 'Set models.local.ray.address to the dashboard of a Ray cluster of 2.x (port 8265 by default).'
        : status === 400
          ? 'Mend the entry in the catalogue of models, then load the model again.'
          : 'Look at the cluster in its dashboard; it is asked again with the next try.';
  return new AutocodeError(
    'ERR_ENGINE_UNAVAILABLE',
    `Ray at ${address} answers ${status}: ${said || 'nothing'}`,
    { remedy },
  );
}

function reasonOf(cause: unknown): string {
  // A name with several addresses fails with one error for each.
  const error: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  return error instanceof Error ? error.message : String(error);
}
