// A hub of models over HTTP, as Hugging Face has it: which files a model has, with their sums, and their bytes from any place on.
// Format: GET /api/models/REPOSITORY/revision/REVISION?blobs=true, GET /REPOSITORY/resolve/COMMIT/FILE. Used by fetch.ts.
import { readFile } from 'node:fs/promises';
import got, { HTTPError, RequestError } from 'got';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';

export interface HubOptions {
  /** Address, as https://huggingface.co. */
  hub: string;
  /** File with an access token, for models that are not open to everybody. */
  tokenFile?: string;
}

export interface HubFile {
  path: string;
  bytes: number;
  /** SHA-256 of a large file; git's hash of a small one. */
  sum: { kind: 'sha256' | 'git'; value: string };
}

export interface HubModel {
  repository: string;
  /** The commit that the revision is now. */
  commit: string;
  files: HubFile[];
}

export interface Hub {
  /** A model at a revision, with the files that an engine needs. */
  model(repository: string, revision: string): Promise<HubModel>;
  /** The bytes of a file from `offset` on. */
  read(model: HubModel, file: HubFile, offset: number): AsyncIterable<Buffer>;
}

const TIMEOUT = { lookup: 10_000, connect: 10_000, secureConnect: 10_000, response: 60_000 };
/** A download that brings nothing for so long is begun again where it stopped. */
const IDLE_MS = 60_000;

const Listing = z.object({
  sha: z.string(),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.number().int().nonnegative(),
      blobId: z.string().optional(),
      lfs: z.object({ sha256: z.string(), size: z.number().int() }).optional(),
    }),
  ),
});

/** Makes the requests of one hub. */
export async function openHub({ hub, tokenFile }: HubOptions): Promise<Hub> {
  const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim();
  const client = got.extend({
    // The token goes to the hub alone: got leaves it out when it is sent on to another host.
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    timeout: TIMEOUT,
    retry: { limit: 3 },
  });
  const base = hub.replace(/\/+$/, '');
  return {
    async model(repository, revision) {
      const address = `${base}/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
      const body: unknown = await client(address)
        .json()
        .catch((error: unknown) => {
          throw refused(error, hub, `${repository}@${revision}`);
        });
      const listing = Listing.safeParse(body);
      if (!listing.success)
        throw away(hub, `it answers ${address} with something else than a list of files`, listing.error);
      const files = listing.data.siblings.map(({ rfilename: path, size, blobId = '', lfs }): HubFile => {
        const sum =
          lfs === undefined
            ? { kind: 'git' as const, value: blobId }
            : { kind: 'sha256' as const, value: lfs.sha256 };
        return { path, bytes: lfs?.size ?? size, sum };
      });
      return { repository, commit: listing.data.sha, files: needed(files) };
    },
    async *read({ repository, commit }, file, offset) {
      const path = file.path.split('/').map(encodeURIComponent).join('/');
      const range = offset === 0 ? {} : { range: `bytes=${offset}-` };
      const stream = client.stream(`${base}/${repository}/resolve/${commit}/${path}`, {
        headers: range,
        timeout: { ...TIMEOUT, socket: IDLE_MS },
        retry: { limit: 0 },
        decompress: false,
      });
      let skip = 0;
      stream.once('response', ({ statusCode }: { statusCode: number }) => {
        if (statusCode === 200) skip = offset; // it does not know of ranges
      });
      try {
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          const rest = chunk.subarray(Math.min(skip, chunk.length));
          skip -= chunk.length - rest.length;
          if (rest.length > 0) yield rest;
        }
      } catch (error) {
        throw refused(error, hub, `${repository}: ${file.path}`);
      }
    },
  };
}

/** What an engine needs: configuration, tokenizer, and of several formats of the weights the safest one. */
function needed(files: HubFile[]): HubFile[] {
  const small = files.filter(({ path }) =>
    /^[^/]+\.(json|txt|model|jinja|tiktoken)$|^(LICENSE|README)[^/]*$/i.test(path),
  );
  const inFormat = (format: string) =>
    files.filter(({ path }) => !path.includes('/') && path.endsWith(format));
  const safetensors = inFormat('.safetensors');
  const nested = files.filter(({ path }) => /^\d+_[^/]+\/[^/]+\.(json|safetensors)$/.test(path)); // sentence-transformers
  return [...small, ...(safetensors.length > 0 ? safetensors : inFormat('.gguf')), ...nested];
}

function refused(error: unknown, hub: string, what: string): Error {
  if (!(error instanceof RequestError)) return error as Error;
  const status = error instanceof HTTPError ? error.response.statusCode : undefined;
  if (status === 401 || status === 403)
    return new AutocodeError('ERR_FORBIDDEN', `The hub ${hub} does not let us read ${what} (${status}).`, {
      remedy: 'Accept its terms on the hub, and give the file with your access token: --hub-token-file.',
      cause: error,
    });
  if (status === 404)
    return new AutocodeError('ERR_NOT_FOUND', `The hub ${hub} has no ${what}.`, {
      remedy: 'Check the name, as Qwen/Qwen2.5-Coder-7B-Instruct, and the revision after @.',
      cause: error,
    });
  return away(hub, error.message, error);
}

function away(hub: string, why: string, cause: unknown): AutocodeError {
  return new AutocodeError('ERR_HUB_UNAVAILABLE', `The hub ${hub} could not be read: ${why}.`, {
    remedy:
      'Check the network, or name another one with --hub. What has come is kept: the same command goes on.',
    cause,
  });
}
