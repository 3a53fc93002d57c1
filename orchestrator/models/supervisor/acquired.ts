// What the gateway asks of the supervisor: a model that is ready, for the time of one request. Used by models/engines.ts.
import type { LocalModel } from '../../../protocol/local-model.ts';

/** A place at a replica of a model. */
export interface Acquired {
  /** Base address, without `/v1`. */
  url: string;
  /** Name that the engine knows the model by. */
  served: string;
  /** How many GPUs it keeps busy. */
  gpus: number;
  /** The replica did not answer: it is looked at now, and takes no requests until it was found well. */
  failed(): void;
  /** Gives the place back; to be called once the answer has ended, however it did. */
  release(): void;
}

export interface AcquireOptions {
  /** Whether to wait until it is loaded; else ERR_ENGINE_BUSY at once when it is not ready. Both count as demand. */
  wait: boolean;
  signal: AbortSignal;
}

/** The models that the appliance runs itself. */
export interface Supervisor {
  models: readonly LocalModel[];
  acquire(model: string, options: AcquireOptions): Promise<Acquired>;
  /** Stops deciding; engines go on, and the next start adopts them. */
  stop(): Promise<void>;
}
