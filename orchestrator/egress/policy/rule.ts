// A rule of the egress policy, and its canonical form: what is shown, kept for the proxy, and written to records.
import { bracketed } from './host.ts';

export interface Rule {
  /** `pass`: TLS goes through as it comes, and nobody looks into it. */
  action: 'allow' | 'deny' | 'pass';
  /** Null: every method. */
  methods: string[] | null;
  /** A name, an address, or with `*.` (one label), `**.` (one and more) or as `**` (all of it) names. */
  host: string;
  /** Null: 80 for http and 443 for https where it allows, every port where it denies. */
  port: number | null;
  /** The one address where the name may lead; null: every public one. */
  address: string | null;
  /** Segments with `*` for one and, at the end, `**` for all that follow. */
  path: string;
  project: string | null;
  runKind: string | null;
}

/** The rule on one line, without what says nothing. */
export function printRule({ action, methods, host, port, address, path, project, runKind }: Rule): string {
  const place = port === null ? host : `${bracketed(host)}:${port}`;
  return [
    action,
    ...(methods === null ? [] : [`method=${methods.join(',')}`]),
    `host=${place}`,
    ...(address === null ? [] : [`address=${address}`]),
    ...(path === '/**' ? [] : [`path=${path}`]),
    ...(project === null ? [] : [`project=${project}`]),
    ...(runKind === null ? [] : [`run-kind=${runKind}`]),
  ].join(' ');
}
