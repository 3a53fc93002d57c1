// `autocode worker invite`, `worker invites`, `worker uninvite`: on the orchestrator's side of joining.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { NewWorkerInvite, WorkerInvite } from '../../../protocol/joining.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { relativeTime, timestamp } from '../format.ts';
import { print, printJson, table } from '../output.ts';

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Invites a machine; the command for it is alone on stdout. */
export async function inviteWorker(
  args: GlobalArgs & { name: string | undefined; ttl: string },
): Promise<void> {
  const input = { name: args.name, ttlSeconds: secondsOf(args.ttl) };
  const invite = await connect(args).send('POST', '/worker-invites', NewWorkerInvite, input);
  if (args.json) return printJson(invite);
  process.stderr.write(
    `Invitation ${invite.id}, for one machine until ${timestamp(invite.expiresAt)} UTC. On that machine, with Autocode installed:\n`,
  );
  print(invite.command);
}

/** Lists invitations. */
export async function listInvites(args: GlobalArgs): Promise<void> {
  const invites = await connect(args).get('/worker-invites', z.array(WorkerInvite));
  if (args.json) return printJson(invites);
  if (invites.length === 0) return print('No invitations.');
  print(
    table(invites, [
      { title: 'ID', value: (invite) => String(invite.id), align: 'right' },
      { title: 'STATE', value: (invite) => invite.state },
      { title: 'NAME', value: (invite) => invite.name ?? 'any' },
      { title: 'WORKER', value: (invite) => invite.worker ?? '-' },
      { title: 'BY', value: (invite) => invite.createdBy },
      { title: 'CREATED', value: (invite) => relativeTime(invite.createdAt) },
      { title: 'EXPIRES', value: (invite) => relativeTime(invite.expiresAt) },
    ]),
  );
}

/** Revokes an invitation. */
export async function revokeInvite(args: GlobalArgs & { id: number }): Promise<void> {
  const invite = await connect(args).send('DELETE', `/worker-invites/${args.id}`, WorkerInvite);
  if (args.json) return printJson(invite);
  const token =
    invite.worker === null ? '' : ` Worker ${invite.worker} has its token still (\`token list\`).`;
  print(`Invitation ${invite.id} is revoked.${token}`);
}

function secondsOf(ttl: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(ttl) ?? [];
  if (count !== undefined && unit !== undefined) return Number(count) * SECONDS[unit]!;
  throw new AutocodeError('ERR_INVALID_INPUT', `"${ttl}" is no time.`, {
    remedy: 'Write it as 30m, 2h or 1d; 7 days are the most.',
  });
}
