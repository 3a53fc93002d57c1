// Opens the sandboxes of a run by the isolation that its order names. The first one is tested from inside before anything of the
// project runs in it. There is no falling back from one isolation to another. Used by the runner.
import path from 'node:path';
import type { WorkOrder } from '../../protocol/worker.ts';
import type { RunnerConfig } from '../config.ts';
import type { PipelineOptions, SandboxName } from '../pipeline/run-record.ts';
import type { RunDirectory } from '../run-directory.ts';
import type { ProcessScope } from '../run-processes.ts';
import {
  confinedHost,
  openConfinedSandbox,
  type ConfinedHost,
  type ConfinedOptions,
  type Lender,
} from '../sandbox/confined.ts';
import { openDirectorySandbox } from '../sandbox/directory.ts';
import type { EnvironmentRoot } from '../sandbox/environment-root.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { tryNode } from '../sandbox/self-test/node-inside.ts';
import { tryWaysOut, verdict } from '../sandbox/self-test/quick.ts';

export interface OpenerParts {
  config: Pick<RunnerConfig, 'cacheDir' | 'toolDir' | 'sandbox'>;
  order: WorkOrder;
  directory: RunDirectory;
  /** The relay: its address for a process without isolation, its socket for one with. */
  gateway: { url: string; socket: string };
  /** The way out by the egress proxy; null for none. */
  egress: ConfinedOptions['egress'];
  /** PATH of the runner. */
  path: string;
  processes: ProcessScope;
  /** Counts what the sandbox uses from its opening on. */
  count(sandbox: Sandbox): Sandbox;
  notice(text: string): void;
}

/** For the pipeline. What there is to know of the isolation goes to the log once. */
export function sandboxOpener(parts: OpenerParts): PipelineOptions['openSandbox'] {
  const { config, order, directory, gateway, egress, path: searchPath, processes, count, notice } = parts;
  let host: ConfinedHost | null = null;
  let tested = false;

  async function open(
    name: SandboxName,
    lenders: Lender[],
    environment: EnvironmentRoot | null,
  ): Promise<Sandbox> {
    const directories = directory.sandbox(name);
    const { toolDir } = config;
    if (order.isolation === 'directory') {
      return await openDirectorySandbox({
        run: order.run,
        ...directories,
        gatewayUrl: gateway.url,
        toolDir,
        path: searchPath,
        processes,
      });
    }
    host ??= await confinedHost(order.isolation, searchPath);
    const { toolchains, ...limits } = config.sandbox;
    return await openConfinedSandbox(host, {
      run: order.run,
      name,
      runDirectory: directory.path,
      ...directories,
      lenders,
      toolDir,
      toolchains,
      environment,
      gatewaySocket: gateway.socket,
      egress,
      limits,
      mark: processes.mark,
    });
  }

  return async (name, lenders, environment) => {
    const sandbox = count(await open(name, lenders, environment));
    if (tested) return sandbox;
    try {
      sandbox.notices.forEach(notice);
      if (sandbox.kind !== 'directory') {
        const findings = await tryWaysOut(sandbox, [path.dirname(directory.path), config.cacheDir]);
        notice(verdict(findings, sandbox.kind));
        if (environment !== null) await tryNode(sandbox, environment.name);
      }
      tested = true;
      return sandbox;
    } catch (error) {
      await sandbox.close();
      throw error;
    }
  };
}
