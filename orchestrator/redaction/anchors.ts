// What a token of each of secretlint's shapes cannot be without: a text that has none of these has no such token. Used by
// shapes.ts; shapes.test.ts proves that nothing is lost by it.

export interface Anchor {
  /** The rule, as secretlint names it without its prefix. */
  rule: string;
  /** The first characters, `KEY` of them at least; what `match` must find there. */
  starts: readonly string[];
  match: RegExp;
}

/** Characters by which anchors are looked for. */
export const KEY = 4;

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const WORD = `${LETTERS}${LETTERS.toUpperCase()}0123456789_`.split('');
const followed = (start: string, by: readonly string[]) => by.map((sign) => `${start}${sign}`);
const protocols = (ends: string) => `${ends}${ends.toUpperCase()}`.split('').map((end) => `${end}://`);
const is = (rule: string, match: RegExp, ...starts: string[]): Anchor => ({ rule, starts, match });

/** Expressions are sticky: they are asked at the place that was found. */
export const ANCHORS: readonly Anchor[] = [
  is('aws', /(?:SECRET|secret|Secret)_?(?:ACCESS|access|Access)_?(?:KEY|key|Key)/y, 'SECR', 'secr', 'Secr'),
  is('npm', /x-oauth-basic@github|_authToken=|npm_\w/y, 'x-oa', '_aut', 'npm_'),
  is('slack', /x(?:ox[bpaor]|app)-/y, 'xoxb', 'xoxp', 'xoxa', 'xoxo', 'xoxr', 'xapp'),
  is('slack', /s:\/\/hooks\.slack\.com\//iy, ...protocols('s')),
  is('basicauth', /[ps]:\/\/[-\w]{1,256}:[-\w]{1,256}@/y, 'p://', 's://'),
  is('openai', /T3BlbkFJ/y, 'T3Bl'),
  is('anthropic', /sk-ant-api0/y, 'sk-a'),
  is('groq', /gsk_\w/y, 'gsk_'),
  is('huggingface', /hf_[a-zA-Z]/y, ...followed('hf_', WORD)),
  is('linear', /lin_api_/y, 'lin_'),
  is('notion', /ntn_\d/y, 'ntn_'),
  is('privatekey', /PRIVATE KEY/y, 'PRIV'),
  is('sendgrid', /SG\.\w/y, ...followed('SG.', WORD)),
  is('shopify', /shp(?:pa|ca|at|ss)_/y, 'shpp', 'shpc', 'shpa', 'shps'),
  is('stripe', /_(?:live|test)_[a-zA-Z0-9]/y, '_liv', '_tes'),
  is('github', /gh[pousr]_\w|github_pat_/y, 'ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'gith'),
  is('gitlab', /glpat-/y, 'glpa'),
  is('grafana', /gl(?:c|sa)_\w?/y, 'glc_', 'glsa'),
  is('1password', /ops_ey/y, 'ops_'),
  is('database-connection-string', /[bvlxs]:\/\//iy, ...protocols('bvlxs')),
  is('hashicorp-vault', /hv[sbr]\.\w?/y, 'hvs.', 'hvb.', 'hvr.'),
  is('vercel', /vc[piark]_\w/y, 'vcp_', 'vci_', 'vca_', 'vcr_', 'vck_'),
  is('databricks', /dapi[A-Fa-f0-9]/y, 'dapi'),
  is('docker', /dckr_pat_/y, 'dckr'),
  is('figma', /figd_/y, 'figd'),
  is('cloudflare', /cf(?:k|ut|at)_\w/y, 'cfk_', 'cfut', 'cfat'),
  is('tailscale', /tskey-/y, 'tske'),
  is('autocode', /ac_[a-z]+_[\w-]{20}/y, ...followed('ac_', LETTERS.split(''))),
];
