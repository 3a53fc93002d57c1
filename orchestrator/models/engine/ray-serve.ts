// Models as applications of a Ray cluster, over the REST interface of its dashboard. Ray places the replicas on its nodes and
// replaces those that die; what is beyond that is the supervisor's, which starts and stops through here.
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../../protocol/errors.ts';
import { neverAsleep, type Handle, type ManagedEngine } from './managed.ts';
import { oneToken } from './one-token.ts';
import {
  applicationName,
  declaration,
  launchOf,
  routeOf,
  runsOurCode,
  serveState,
} from './ray-serve-application.ts';
import { rayClient } from './ray-serve-client.ts';
import { rayReading } from './ray-serve-metrics.ts';
import { applicationPackage } from './ray-serve-package.ts';

/** A deletion waits for the requests in its replicas, up to 20 s. */
const GONE_MS = 60_000;
const POLL_MS = 250;
/** Nodes tell new figures every 10 s. */
const TOLD_MS = 5_000;

/** The engine for `engine: ray-serve`. `address`: the cluster's dashboard; `serveUrl`: where its applications answer. */
export function rayServeEngine({ address, serveUrl }: { address: string; serveUrl: string }): ManagedEngine {
  const client = rayClient({ address, serveUrl });
  // What this daemon has seen of each launch; one that adopts it sees it anew.
  const proven = new Set<string>();
  const told = new Map<string, number>();
  const handleOf = (launch: string, model: string, application: string): Handle => ({
    launch,
    model,
    application,
    endpoint: serveUrl.replace(/\/+$/, '') + routeOf(application),
    served: model,
  });

  return {
    kind: 'ray-serve',

    async start(launch, note, signal) {
      const name = applicationName(launch);
      const handle = handleOf(launch.id, launch.model.name, name);
      const upload = async () => {
        const { name: file, content } = await applicationPackage();
        return await client.upload(file, content, signal);
      };
      await note(handle);
      const config = declaration(launch, runsOurCode(launch.model) ? await upload() : undefined);
      await client.declare((others) => [...others.filter((other) => other.name !== name), config], signal);
      return handle;
    },

    async find({ id, model }) {
      const details = await client.applications().catch(async (error: unknown) => {
        if (await client.isGone()) return undefined; // and what ran with it
        throw error;
      });
      const entry = Object.entries(details?.applications ?? {}).find(
        ([, { deployed_app_config: config }]) => launchOf(config) === id,
      );
      return entry === undefined ? undefined : handleOf(id, model.name, entry[0]);
    },

    async stop(handle) {
      proven.delete(handle.launch);
      told.delete(handle.launch);
      const left = async () => {
        const application = (await client.applications()).applications[handle.application ?? ''];
        // While it is deleted nobody tells of which launch it was.
        const launch = launchOf(application?.deployed_app_config) ?? handle.launch;
        return launch === handle.launch ? application : undefined;
      };
      try {
        if ((await left()) === undefined) return;
        await client.declare((all) => all.filter((config) => launchOf(config) !== handle.launch));
        const deadline = Date.now() + GONE_MS;
        for (let now = await left(); now !== undefined; now = await left()) {
          if (Date.now() > deadline) throw stays(handle, now.status);
          await delay(POLL_MS);
        }
      } catch (error) {
        // A head that is gone takes its nodes' replicas along; until then Serve listens on.
        if (!(await client.isGone())) throw error;
      }
    },

    async sleep(handle) {
      throw neverAsleep(handle, 'Ray Serve knows running or gone');
    },

    async wake(handle) {
      throw neverAsleep(handle, 'Ray Serve knows running or gone');
    },

    async health(handle, signal) {
      const details = await client.applications(signal).catch((error: Error) => error);
      if (details instanceof Error) {
        // Without its dashboard the cluster may well serve.
        const token = await oneToken(handle, signal).catch(() => undefined);
        if (token?.state === 'ready') return token;
        throw details;
      }
      const state = serveState(details.applications[handle.application ?? ''], handle.launch);
      if (state.state !== 'serving') return state;
      if (proven.has(handle.launch)) {
        await client.proxyAnswers(signal);
        return { state: 'ready' };
      }
      const answer = await oneToken(handle, signal);
      if (answer.state === 'ready') proven.add(handle.launch);
      return answer;
    },

    async metrics(handle, signal) {
      const { launch, served, application = '' } = handle;
      if (Date.now() - (told.get(launch) ?? 0) < TOLD_MS) return undefined;
      told.set(launch, Date.now());
      return rayReading(await client.metrics(signal), { application, served }, Date.now());
    },
  };
}

function stays({ application }: Handle, status: string): AutocodeError {
  const message = `Ray does not end the application ${application}: it is ${status} after ${GONE_MS / 1000} s.`;
  return new AutocodeError('ERR_ENGINE_UNAVAILABLE', message, {
    remedy: 'Look at its replicas in the dashboard of the cluster; it is tried again.',
  });
}
