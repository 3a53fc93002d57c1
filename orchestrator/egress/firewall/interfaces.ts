// Network interfaces of this host as the kernel shows them: whether they suit, and whether they forward. Used by firewall.ts.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { AutocodeError } from '../../../protocol/errors.ts';

/** Refuses what is no interface of workers: one that is not there, a port of a bridge, the one by which this host goes out. */
export function checkInterfaces(names: readonly string[]): void {
  const there = readdirSync('/sys/class/net').filter((name) => name !== 'lo');
  for (const name of names) {
    if (!there.includes(name)) {
      throw new AutocodeError('ERR_CONFIG', `egress.firewall.interfaces names ${name}, which is not there.`, {
        remedy: `There are: ${there.join(', ') || 'none'}. One that comes later: apply with --boot.`,
      });
    }
    if (existsSync(`/sys/class/net/${name}/brport`)) {
      throw new AutocodeError('ERR_CONFIG', `${name} is a port of a bridge, which rules do not see.`, {
        remedy: 'Name the bridge in egress.firewall.interfaces.',
      });
    }
    if (defaultRoutes().includes(name)) {
      throw new AutocodeError('ERR_CONFIG', `By ${name} this host itself goes out.`, {
        remedy:
          'Give the workers a network of their own, as scripts/create-vms does, and name its interface.',
      });
    }
  }
}

/** What `checkInterfaces` would say, in words; null: nothing. */
export function troubleWith(names: readonly string[]): string | null {
  try {
    checkInterfaces(names);
    return null;
  } catch (error) {
    if (!(error instanceof AutocodeError)) throw error;
    return [error.message, error.remedy].filter(Boolean).join(' ');
  }
}

function defaultRoutes(): string[] {
  const [, ...routes] = readFileSync('/proc/net/route', 'utf8').trim().split('\n');
  return routes
    .map((route) => route.split('\t'))
    .filter(([, destination, , , , , , mask]) => [destination, mask].every((each) => each === '00000000'))
    .map(([name = '']) => name);
}

/** Those by which the kernel would send on what comes in, were there no rules. */
export function forwarding(names: readonly string[]): string[] {
  return names.filter((name) => switchesOf(name).some((file) => readFileSync(file, 'utf8').trim() !== '0'));
}

/** Has nothing sent on that comes in by them, whatever rules there are. */
export function stopForwarding(names: readonly string[]): void {
  let cause: unknown;
  for (const file of forwarding(names).flatMap(switchesOf)) {
    try {
      writeFileSync(file, '0');
    } catch (error) {
      cause = error;
    }
  }
  const left = forwarding(names);
  if (left.length === 0) return;
  throw new AutocodeError('ERR_FIREWALL', `Forwarding cannot be turned off for ${left.join(', ')}.`, {
    remedy: `Turn it off: ${left.map((name) => `sysctl -w net.ipv4.conf.${name}.forwarding=0`).join('; ')}`,
    cause,
  });
}

function switchesOf(name: string): string[] {
  return ['ipv4', 'ipv6']
    .map((family) => `/proc/sys/net/${family}/conf/${name}/forwarding`)
    .filter(existsSync);
}
