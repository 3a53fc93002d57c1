// Where the egress proxy has its files in the data directory. Used by the rest of this folder and the verbs of `egress`.
import { join } from 'node:path';

const ADD_ONS = join(import.meta.dirname, '../../proxy-addon');

export interface EgressPlaces {
  /** Belongs to the proxy alone: its authority, with the key. */
  authority: string;
  identities: string;
  /** Who is at which address. */
  workers: string;
  policy: string;
  /** The socket on which the proxy is told what is lent to runs. */
  secrets: string;
  /** The process that runs, as the daemon started it. */
  process: string;
  /** Records of traffic, a file an hour. */
  spool: string;
  /** Records that Elasticsearch did not take. */
  rejected: string;
  /** Downloads that never change, kept by the proxy. */
  cache: string;
  log: string;
  /** Where `egress setup` puts mitmproxy. */
  mitmproxy: string;
  /** The folder with the add-ons. */
  addOns: string;
}

/** The files; none is made. */
export function egressPlaces(root: string): EgressPlaces {
  const own = (name: string) => join(root, 'egress', name);
  return {
    authority: own('ca'),
    identities: own('identities.json'),
    workers: own('workers.json'),
    policy: own('policy.json'),
    secrets: own('secrets.sock'),
    process: own('proxy.json'),
    spool: join(root, 'logs/traffic'),
    rejected: own('rejected'),
    cache: own('cache'),
    log: join(root, 'logs/orchestrator/proxy.log'),
    mitmproxy: own('mitmproxy'),
    addOns: ADD_ONS,
  };
}
