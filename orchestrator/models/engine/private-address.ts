// Whether an engine is in the appliance's own network, by its address. Used by the gateway and the demo.
import { isIP } from 'node:net';

/** Whether an address of an engine is in the appliance or its network: private by number, or a name that only such a network knows. */
export function isPrivate(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (isIP(host) === 4) return /^(127|10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))\./.test(host);
  if (isIP(host) === 6) return /^(::1$|f[cd]|fe[89ab])/.test(host);
  return !host.includes('.') || /\.(localhost|local|internal|lan|home\.arpa)$/.test(host);
}
