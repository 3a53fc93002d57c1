// The environment as far as it is no configuration: what a person's shell tells the CLI, what a child process needs.
// Used by the CLI and by whoever starts a program.

export interface ClientEnvironment {
  /** AUTOCODE_URL and AUTOCODE_TOKEN: a daemon elsewhere. */
  url: string | undefined;
  token: string | undefined;
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
    noColor: (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb',
    shell: env.SHELL || undefined,
  };
}

/** The environment for a child that is a part of Autocode or a tool of the user's, as git. */
export function inheritedEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env };
}
