// Makes a machine trust the authority of the egress proxy: its system store, and by it curl, git and the rest; Node, Python, Java
// and browsers, which have lists of their own. For VMs and developers' machines, used by `egress ca install`; sandboxes are told by their variables.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BROWSER_POLICIES, browserPolicy } from '../../../protocol/browser-trust.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import { execa } from 'execa';
import { writeFileAtomic } from '../../config/atomic-file.ts';
import { javaOf, makeTruststore, trustedByJava, type Java } from './java.ts';

export interface TrustOptions {
  /** PEM. */
  certificate: string;
  /** The root directory: `/`, or that of an image. */
  root: string;
  remove: boolean;
  dryRun: boolean;
  /** Where programs are looked for. */
  path: string;
}

/** What was done, or would be, with one thing. */
export interface TrustStep {
  what: 'system' | 'environment' | 'java' | 'browser';
  place: string;
  state: 'made' | 'removed' | 'unchanged';
}

interface Store {
  program: string;
  anchor: string;
  bundle: string;
  words(root: string): string[];
}

const NAME = 'autocode-egress';
const DEBIAN = {
  certsconf: 'etc/ca-certificates.conf',
  certsdir: 'usr/share/ca-certificates',
  localcertsdir: 'usr/local/share/ca-certificates',
  etccertsdir: 'etc/ssl/certs',
  hooksdir: 'etc/ca-certificates/update.d',
};
const STORES: Store[] = [
  {
    program: 'update-ca-certificates',
    anchor: `usr/local/share/ca-certificates/${NAME}.crt`,
    bundle: 'etc/ssl/certs/ca-certificates.crt',
    words: (root) =>
      root === '/' ? [] : Object.entries(DEBIAN).flatMap(([name, place]) => [`--${name}`, join(root, place)]),
  },
  {
    program: 'update-ca-trust',
    anchor: `etc/pki/ca-trust/source/anchors/${NAME}.pem`,
    bundle: 'etc/pki/tls/certs/ca-bundle.crt',
    words: () => ['extract'],
  },
];
const PROFILE = `etc/profile.d/${NAME}.sh`;
const TRUSTSTORE = `usr/local/share/${NAME}/cacerts`;

/** Does it, or only tells what it would do. What is as it should be stays untouched. */
export async function installTrust(options: TrustOptions): Promise<TrustStep[]> {
  const { root, path, remove, dryRun, certificate } = options;
  const store = storeOf(root, path);
  const java = javaOf(path);
  const at = (place: string) => join(root, place);
  const steps: TrustStep[] = [];
  const anchored = await write(at(store.anchor), remove ? null : certificate, dryRun);
  const stale = remove ? anchored !== 'unchanged' : !(await trusts(at(store.bundle), certificate));
  if (stale && !dryRun) await refresh(store, options, remove);
  steps.push({ what: 'system', place: at(store.anchor), state: stale && !remove ? 'made' : anchored });
  if (java !== null || (remove && existsSync(at(TRUSTSTORE)))) {
    const step = { what: 'java' as const, place: at(TRUSTSTORE) };
    steps.push({ ...step, state: await trustInJava(java, at(TRUSTSTORE), options) });
  }
  for (const { browser, file } of BROWSER_POLICIES) {
    if (!existsSync(at(remove ? file : browser))) continue;
    const policy = remove ? null : browserPolicy(certificate);
    steps.push({ what: 'browser', place: at(file), state: await write(at(file), policy, dryRun) });
  }
  const text = remove ? null : profile(store, java);
  steps.push({ what: 'environment', place: at(PROFILE), state: await write(at(PROFILE), text, dryRun) });
  return steps;
}

// Node adds to its own list, Python's programs know one list only, which is then the system's.
function profile({ anchor, bundle }: Store, java: Java | null): string {
  const lines = [
    '# Programs with lists of authorities of their own trust that of the Autocode egress proxy (autocode egress ca install).',
    `export NODE_EXTRA_CA_CERTS=/${anchor}`,
    ...['REQUESTS_CA_BUNDLE', 'PIP_CERT', 'SSL_CERT_FILE'].map((name) => `export ${name}=/${bundle}`),
  ];
  if (java !== null) lines.push(`export JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore=/${TRUSTSTORE}`);
  return `${lines.join('\n')}\n`;
}

async function trustInJava(
  java: Java | null,
  file: string,
  { certificate, remove, dryRun }: TrustOptions,
): Promise<TrustStep['state']> {
  if (remove || java === null) {
    if (!existsSync(file)) return 'unchanged';
    if (!dryRun) await rm(dirname(file), { recursive: true, force: true });
    return 'removed';
  }
  if (await trustedByJava(java, file, certificate)) return 'unchanged';
  if (!dryRun) await makeTruststore(java, file, certificate);
  return 'made';
}

function storeOf(root: string, path: string): Store {
  const folders = path.split(':');
  const store = STORES.find(
    ({ program, anchor }) =>
      folders.some((folder) => existsSync(join(folder, program))) &&
      (root === '/' || existsSync(join(root, dirname(dirname(anchor))))),
  );
  if (store !== undefined) return store;
  throw new AutocodeError('ERR_NOT_FOUND', `There is no store of authorities in ${root} that is known.`, {
    remedy: `Install ca-certificates; known are ${STORES.map(({ program }) => program).join(', ')}.`,
  });
}

async function refresh(store: Store, { root, path }: TrustOptions, fresh: boolean): Promise<void> {
  const debian = store.program === 'update-ca-certificates';
  const words = [...store.words(root), ...(fresh && debian ? ['--fresh'] : [])];
  const { exitCode, stderr } = await execa(store.program, words, {
    env: { PATH: path },
    extendEnv: false,
    reject: false,
  });
  if (exitCode === 0) return;
  throw new AutocodeError(
    'ERR_CONFIG',
    `${store.program} could not take the certificate in: ${stderr.trim()}`,
    {
      remedy: 'See what it says; doing it again does no harm.',
    },
  );
}

async function trusts(bundle: string, certificate: string): Promise<boolean> {
  const text = await readFile(bundle, 'utf8').catch(() => '');
  return text.includes(certificate.trim());
}

/** Makes a file say this, or removes it. */
async function write(file: string, text: string | null, dryRun: boolean): Promise<TrustStep['state']> {
  const now = await readFile(file, 'utf8').catch(() => null);
  if (now === text) return 'unchanged';
  if (text === null) {
    if (!dryRun) await rm(file, { force: true });
    return 'removed';
  }
  if (!dryRun) {
    await mkdir(dirname(file), { recursive: true });
    await writeFileAtomic(file, text, 0o644);
  }
  return 'made';
}
