// Tests of models, made through the running gateway, one at a time, since each wants the GPUs. Started by the API.
import { AutocodeError } from '../../../protocol/errors.ts';
import { CHECKS } from '../../../protocol/local-model.ts';
import type { ModelTest } from '../../../protocol/local-model.ts';
import type { Dialogue } from '../../../protocol/model.ts';
import type { Queryable } from '../../db/connect.ts';
import type { Catalogue, ResolvedModel } from '../catalogue.ts';
import { upstreamEngine } from '../engine/upstream.ts';
import { protocolOfAgent } from './agents.ts';
import { askModel } from './answer.ts';
import { probe, warmUp } from './probe.ts';
import type { Ask, Check } from './probe.ts';
import { beginTest, endTest, failTest, noteChecks } from './results.ts';
import { testKey } from './test-key.ts';

export interface ModelTestParts {
  db: Queryable;
  catalogue: Pick<Catalogue, 'resolve'>;
  /** Address of the gateway, '' where it is not known. */
  gatewayUrl(): string;
  /** Aborted when the daemon stops. */
  stopping: AbortSignal;
  warn(message: string, fields?: object): void;
  /** For all checks together, once the model answers. */
  boundMs?: number;
}

export interface ModelTests {
  /** Begins a test and answers at once; how far it is stands in the database. */
  start(asked: { model: string; agent: string }): Promise<ModelTest>;
}

const BOUND_MS = 5 * 60_000;
/** To be loaded, a model may take what the gateway waits for it at most. */
const LOAD_MS = 3_600_000;
/** What agents need at least is what a model is tested for whose context nobody told. */
const USUAL_CONTEXT = 32_768;

/** Makes what makes the tests. */
export function modelTests(parts: ModelTestParts): ModelTests {
  let current: string | undefined;
  return {
    async start({ model: asked, agent }) {
      const protocol = protocolOfAgent(agent);
      const model = parts.catalogue.resolve(asked);
      if (!model.protocols.includes(protocol)) throw unspoken(model, agent, protocol);
      if (parts.gatewayUrl() === '') throw noGateway();
      if (current !== undefined) throw busy(current);
      current = model.name;
      try {
        const test = await beginTest(parts.db, model.name, agent);
        void run(parts, test, model, protocol).then(async (failure) => {
          // Before the end is told: whoever sees it may begin the next.
          current = undefined;
          await noteEnd(parts, test, failure);
        });
        return test;
      } catch (error) {
        current = undefined;
        throw error;
      }
    },
  };
}

interface Failure {
  problem: string;
  remedy: string | undefined;
}

/** Makes the checks; what kept it from making them, where something did. */
async function run(
  { db, gatewayUrl, stopping, warn, boundMs = BOUND_MS }: ModelTestParts,
  { id }: ModelTest,
  model: ResolvedModel,
  protocol: Dialogue,
): Promise<Failure | undefined> {
  let key: Awaited<ReturnType<typeof testKey>> | undefined;
  const gateway = upstreamEngine({
    name: 'gateway',
    url: gatewayUrl(),
    protocols: [protocol],
    apiKey: async () => key?.key,
    timeouts: { firstByteMs: LOAD_MS, wholeMs: LOAD_MS },
  });
  // One that the appliance runs itself is asked for what it finds likeliest: then a test comes out alike each time.
  const temperature = model.kind === 'local' ? 0 : undefined;
  const asker =
    (signal: AbortSignal): Ask =>
    async (question) =>
      await askModel(gateway, protocol, model.name, { temperature, ...question }, signal);
  const context = model.serves.kind === 'local' ? model.serves.context : USUAL_CONTEXT;
  const checks: Check[] = [];
  try {
    key = await testKey(db, model.name);
    const perToken = await warmUp(asker(stopping), context);
    const late = AbortSignal.timeout(boundMs);
    const signal = AbortSignal.any([stopping, late]);
    const told = async (over: Check[]) => {
      checks.push(...over);
      await noteChecks(db, id, over);
    };
    const stopSequences = protocol !== 'responses';
    try {
      await probe({ ask: asker(signal), context, stopSequences, told }, perToken);
    } catch (error) {
      if (!late.aborted) throw error;
      await told(notReached(checks, boundMs));
    }
    return undefined;
  } catch (error) {
    const problem = stopping.aborted ? 'The daemon stopped during the test.' : (error as Error).message;
    return { problem, remedy: error instanceof AutocodeError ? error.remedy : 'Test it again.' };
  } finally {
    await key?.end().catch((cause: unknown) => warn('the key of a test was not revoked', { cause }));
    await gateway.close();
  }
}

async function noteEnd({ db, warn }: ModelTestParts, { id }: ModelTest, failure?: Failure): Promise<void> {
  try {
    await (failure === undefined ? endTest(db, id) : failTest(db, id, failure));
  } catch (cause) {
    warn('the end of a test of a model was not noted', { cause });
  }
}

/** The checks that there was no time for. */
function notReached(checks: readonly Check[], boundMs: number): Check[] {
  const detail = `was not over within ${Math.round(boundMs / 1000)} s`;
  const over = checks.map(({ name }) => name);
  return CHECKS.filter((name) => !over.includes(name)).map((name) => ({ name, passed: false, detail }));
}

function unspoken({ name, protocols }: ResolvedModel, agent: string, protocol: Dialogue): AutocodeError {
  return new AutocodeError(
    'ERR_MODEL_UNSUITED',
    `${agent} cannot use ${name}: it speaks ${protocol}, the model ${protocols.join(', ')}.`,
    { remedy: 'Test it with another agent; models for embeddings are used by none.' },
  );
}

function noGateway(): AutocodeError {
  return new AutocodeError(
    'ERR_ENGINE_UNAVAILABLE',
    'No gateway runs that the model could be asked through.',
    {
      remedy: 'Start a daemon with the role gateway.',
    },
  );
}

function busy(model: string): AutocodeError {
  return new AutocodeError('ERR_CONFLICT', `${model} is being tested; there is one test at a time.`, {
    remedy: 'Wait for its end: `autocode model test` shows it.',
  });
}
