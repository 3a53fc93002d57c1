// What a repository may not decide for itself, and who may: whoever can push to it must not be able to loosen what holds
// its runs. Used by parse.ts.

const OWNER = (option: string) =>
  `Whoever runs the project decides it: \`autocode project set PROJECT ${option}\`.`;
const ADMINISTRATOR = (key: string) =>
  `Whoever runs this installation decides it: \`${key}\` in its configuration.`;
const SECRETS =
  'Secrets are kept in the secret store alone: `autocode secret set NAME`, `project add --forge-token-file`.';
const TASK = (option: string) => `Whoever gives a task decides it: \`autocode task add … ${option}\`.`;
const CHECKS = OWNER('--check RULE=LEVEL, --allow RULE=PATTERN');
const NOWHERE_YET =
  'Say which hosts are wished for under `egress.hosts`; whoever runs this installation grants them.';

const WHO: Readonly<Record<string, string>> = {
  isolation: OWNER('--isolation'),
  trusted: OWNER('--trusted'),
  sandbox: ADMINISTRATOR('sandbox'),
  forge: OWNER('--forge'),
  forges: ADMINISTRATOR('forges'),
  token: SECRETS,
  tokens: SECRETS,
  secret: SECRETS,
  secrets: SECRETS,
  webhookSecret: SECRETS,
  checks: CHECKS,
  rules: CHECKS,
  allow: CHECKS,
  allowlist: NOWHERE_YET,
  allowList: NOWHERE_YET,
  allowLists: NOWHERE_YET,
  network: NOWHERE_YET,
  budget: ADMINISTRATOR('budget'),
  budgets: ADMINISTRATOR('budget'),
  price: ADMINISTRATOR('models.engines'),
  agentCommand: OWNER('--agent-command'),
  permissions: OWNER('--permission'),
  approvePlan: OWNER('--approve-plan'),
  memory: OWNER('--memory'),
  dependencyCaches: OWNER('--dependency-caches'),
  mergeMethod: OWNER('--merge-method'),
  retries: ADMINISTRATOR('limits.retries'),
  priority: TASK('--priority'),
  worker: 'Runs are given to workers by what these have room and programs for; nobody names one.',
  workers: ADMINISTRATOR('worker'),
  name: 'A project is named when it is registered: `autocode project add --name NAME`.',
  repository: 'A project has its repositories from `autocode project add`.',
  repositories: 'A project has its repositories from `autocode project add`.',
  defaultBranch: OWNER('--branch'),
};

/** Who decides a setting that is not a repository's own; undefined for any other word. */
export function decidedElsewhere(key: string): string | undefined {
  return Object.hasOwn(WHO, key) ? WHO[key] : undefined;
}
