// Host names and addresses as requests and rules name them: one spelling each. The same as proxy-addon/canonical.py.
import { readAddress } from './address.ts';

/** A name in small letters without a dot at its end, or an address. */
export interface Host {
  value: string;
  isAddress: boolean;
}

const NAME = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/;
const NUMBER = /^(?:[0-9]+|0x[0-9a-f]*)$/;

/** Null for what is neither, as an address in octal, or as one number: clients and servers read those in different ways. */
export function readHost(text: string): Host | null {
  if (text.length > 254 || !/^[\x21-\x7e]+$/.test(text)) return null;
  if (text.includes(':') || text.startsWith('[')) {
    const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
    return bare.includes(':') ? address(bare) : null;
  }
  const name = text.toLowerCase().replace(/\.$/, '');
  if (name.length > 253 || !NAME.test(name)) return null;
  const isNumber = NUMBER.test(name.slice(name.lastIndexOf('.') + 1));
  return isNumber ? address(name) : { value: name, isAddress: false };
}

function address(text: string): Host | null {
  const value = readAddress(text);
  return value === null ? null : { value, isAddress: true };
}

/** `name:port` and `[address]:port`, taken apart; the port is -1 where it is no number, which fits none. */
export function splitPort(text: string): { host: string; port: number | null } {
  const [, host, port] = /^([^:]*|\[[^\]]*\]):([^:]*)$/.exec(text) ?? [];
  if (host === undefined || port === undefined) return { host: text, port: null };
  return { host, port: /^[0-9]{1,5}$/.test(port) ? Number(port) : -1 };
}

/** An IPv6 address in brackets, as it stands before a port. */
export function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
