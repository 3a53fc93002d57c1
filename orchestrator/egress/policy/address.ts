// IP addresses: one spelling each, and which of them are public. Used by rules and requests; the same as proxy-addon/canonical.py.
import { BlockList, isIPv4, isIPv6 } from 'node:net';

const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;
const NAT64 = /^64:ff9b::(?:(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4}))?$/;
const LONGEST = 45;

/** An address as it is written in rules, IPv4 in IPv6 as IPv4; null for what is none. */
export function readAddress(text: string): string | null {
  if (text.length > LONGEST || text.includes('%')) return null;
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return null;
  const short = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [, high, low] = MAPPED.exec(short) ?? [];
  return high === undefined ? short : dotted(high, low);
}

const reserved = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32], // the metadata service of a cloud, although its address is a public one
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  reserved.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  reserved.addSubnet(network, prefix, 'ipv6');
const global = new BlockList();
global.addSubnet('2000::', 3, 'ipv6');

/** Whether an address, as `readAddress` spells it, is one of the internet at large. */
export function isPublic(address: string): boolean {
  if (!address.includes(':')) return !reserved.check(address, 'ipv4');
  const nat64 = NAT64.exec(address);
  if (nat64 !== null) return isPublic(dotted(nat64[1], nat64[2]));
  return global.check(address, 'ipv6') && !reserved.check(address, 'ipv6');
}

/** The IPv4 address of the last two groups of an IPv6 one. */
function dotted(high = '0', low = '0'): string {
  const [upper, lower] = [parseInt(high, 16), parseInt(low, 16)];
  return [upper >> 8, upper & 255, lower >> 8, lower & 255].join('.');
}
