// `autocode secret bind | unbind | bindings | leases` by the daemon's API.
import { z } from 'zod';
import { SecretBinding, SecretLease } from '../../protocol/secret-binding.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { relativeTime } from './format.ts';
import { print, printJson, table } from './output.ts';
import { show } from './redraw.ts';

interface BindArgs {
  name: string;
  host: string;
  as: string;
  env: string;
  method: string | undefined;
  path: string | undefined;
  project: string | undefined;
}

/** Lets a secret go to a host. */
export async function bindSecret(args: GlobalArgs & BindArgs): Promise<void> {
  const { name, host, as, env, method, path, project } = args;
  const binding = await connect(args).send('POST', '/secret-bindings', SecretBinding, {
    secret: name,
    host,
    place: as,
    variable: env,
    methods: method?.split(','),
    path,
    project,
  });
  if (args.json) return printJson(binding);
  print(`Binding ${binding.id}: ${binding.secret} goes to ${requestsOf(binding)}, as ${binding.place}.`);
  print(`Runs of ${binding.project ?? 'all projects'} hold a placeholder in ${binding.variable}.`);
}

/** Removes a binding. */
export async function unbindSecret(args: GlobalArgs & { binding: number }): Promise<void> {
  const binding = await connect(args).send('DELETE', `/secret-bindings/${args.binding}`, SecretBinding);
  if (args.json) return printJson(binding);
  print(`${binding.secret} goes to ${requestsOf(binding)} no more.`);
}

/** Lists where secrets may go. */
export async function listBindings(args: GlobalArgs & { project: string | undefined }): Promise<void> {
  const query = args.project === undefined ? '' : `?project=${encodeURIComponent(args.project)}`;
  const client = connect(args);
  await show(args, () => client.get(`/secret-bindings${query}`, z.array(SecretBinding)), drawBindings);
}

/** Lists which runs have which secrets lent. */
export async function listLeases(
  args: GlobalArgs & { run: string | undefined; all: boolean },
): Promise<void> {
  const query = new URLSearchParams({
    ...(args.run === undefined ? {} : { run: args.run }),
    all: String(args.all),
  });
  const client = connect(args);
  await show(args, () => client.get(`/secret-leases?${query.toString()}`, z.array(SecretLease)), drawLeases);
}

const requestsOf = ({ rule, plain }: SecretBinding) =>
  `${rule.replace(/^allow /, '')}${plain ? ' (also without TLS)' : ''}`;

function drawBindings(bindings: SecretBinding[]): string {
  if (bindings.length === 0) return 'No secret is bound.';
  return table(bindings, [
    { title: 'ID', value: ({ id }) => String(id), align: 'right' },
    { title: 'SECRET', value: ({ secret }) => secret },
    { title: 'PROJECT', value: ({ project }) => project ?? 'all' },
    { title: 'REQUESTS', value: requestsOf },
    { title: 'AS', value: ({ place }) => place },
    { title: 'VARIABLE', value: ({ variable }) => variable },
  ]);
}

function drawLeases(leases: SecretLease[]): string {
  if (leases.length === 0) return 'Nothing is lent.';
  return table(leases, [
    { title: 'RUN', value: ({ run }) => run },
    { title: 'SECRET', value: ({ secret }) => secret },
    { title: 'VERSION', value: ({ version }) => String(version ?? '–'), align: 'right' },
    { title: 'SINCE', value: ({ since }) => relativeTime(since) },
    { title: 'STATE', value: stateOf },
  ]);
}

function stateOf({ endedAt, trouble, until }: SecretLease): string {
  if (endedAt !== null) return `ended ${relativeTime(endedAt)}`;
  return trouble === null ? 'lent' : `${trouble}${until === null ? '' : `; lent until ${until}`}`;
}
