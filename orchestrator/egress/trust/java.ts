// Java's own list of authorities: a copy of it with that of the egress proxy, for JAVA_TOOL_OPTIONS. Used by trust.ts.
import { existsSync, realpathSync } from 'node:fs';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { AutocodeError } from '../../../protocol/errors.ts';

export interface Java {
  keytool: string;
  /** The list that it comes with. */
  list: string;
}

const ALIAS = 'autocode-egress';
const PASSWORD = 'changeit'; // everybody's: the list holds certificates, and no keys

/** The Java that is found first; null where there is none. */
export function javaOf(path: string): Java | null {
  for (const folder of path.split(':')) {
    const keytool = join(folder, 'keytool');
    if (!existsSync(keytool)) continue;
    const list = join(dirname(dirname(realpathSync(keytool))), 'lib/security/cacerts');
    if (existsSync(list)) return { keytool, list };
  }
  return null;
}

/** Whether the copy has this certificate. */
export async function trustedByJava({ keytool }: Java, file: string, certificate: string): Promise<boolean> {
  if (!existsSync(file)) return false;
  const words = ['-exportcert', '-rfc', '-alias', ALIAS, '-keystore', file, '-storepass', PASSWORD];
  const { exitCode, stdout } = await execa(keytool, words, { reject: false });
  const bare = (pem: string) => pem.replaceAll(/\s/g, '');
  return exitCode === 0 && bare(stdout) === bare(certificate);
}

/** Makes the copy, whole or not at all. */
export async function makeTruststore(
  { keytool, list }: Java,
  file: string,
  certificate: string,
): Promise<void> {
  const part = `${file}.new`;
  await mkdir(dirname(file), { recursive: true });
  await rm(part, { force: true });
  await copyFile(list, part);
  const words = ['-importcert', '-noprompt', '-alias', ALIAS, '-keystore', part, '-storepass', PASSWORD];
  const { exitCode, stdout, stderr } = await execa(keytool, words, { input: certificate, reject: false });
  if (exitCode !== 0) {
    await rm(part, { force: true });
    throw new AutocodeError('ERR_CONFIG', `keytool could not take the certificate in: ${stdout}${stderr}`, {
      remedy: 'See whether the Java that is found first in PATH works.',
    });
  }
  await rename(part, file);
}
