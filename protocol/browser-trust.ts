// How browsers of Chromium's kind are made to trust an authority, which have a list of their own: a policy of the machine. Used by
// `egress ca install` for machines and by sandboxes.

/** Of each browser: a folder that is there when it is installed, and the file of the policy; from the root directory. */
export const BROWSER_POLICIES = [
  { browser: 'etc/chromium', file: 'etc/chromium/policies/managed/autocode-egress.json' },
  { browser: 'opt/google/chrome', file: 'etc/opt/chrome/policies/managed/autocode-egress.json' },
];

/** The policy that trusts a certificate, which is PEM. */
export function browserPolicy(certificate: string): string {
  const bare = certificate.replaceAll(/-----[^-]+-----|\s/g, '');
  return `${JSON.stringify({ CACertificates: [bare] })}\n`;
}
