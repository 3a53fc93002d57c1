// The environment as far as it is no configuration: what a person's shell tells the CLI, what a child process needs.
// Used by the CLI and by whoever starts a program.
import { takeNotifyAddress, type NotifyAddress } from '../../telemetry/service-manager.ts';

export interface ClientEnvironment {
  /** AUTOCODE_URL and AUTOCODE_TOKEN: a daemon elsewhere. */
  url: string | undefined;
  token: string | undefined;
  /** AUTOCODE_CA_FILE: the authority that is trusted there. */
  caFile: string | undefined;
  noColor: boolean;
  shell: string | undefined;
}

/** What the shell says to the CLI. */
export function clientEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): ClientEnvironment {
  return {
    url: env.AUTOCODE_URL || undefined,
    token: env.AUTOCODE_TOKEN || undefined,
    caFile: env.AUTOCODE_CA_FILE || undefined,
    noColor: (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb',
    shell: env.SHELL || undefined,
  };
}

/** Where the service manager wants to hear of this process; no child of it inherits that. */
export function notifyAddress(): NotifyAddress | undefined {
  return takeNotifyAddress(process.env, process.pid);
}

/** The environment for a child that is a part of Autocode or a tool of the user's, as git. */
export function inheritedEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env };
}
