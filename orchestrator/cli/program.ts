// The tree of verbs as yargs sees it. Used by main.ts and by reference.ts, which writes docs/cli.md from it.
import yargs, { type Argv } from 'yargs';
import { isNoun, UsageError, type Noun, type Verb } from './command.ts';
import { agentNoun } from './verbs/agent.ts';
import { auditNoun } from './verbs/audit.ts';
import { backupNoun } from './verbs/backup.ts';
import { changeNoun } from './verbs/change.ts';
import { configNoun } from './verbs/config.ts';
import { downVerb, statusVerb, upVerb } from './verbs/daemon.ts';
import { demoVerb } from './verbs/demo.ts';
import { drainNoun } from './verbs/drain.ts';
import { doctorVerb } from './verbs/doctor.ts';
import { egressNoun } from './verbs/egress.ts';
import { environmentNoun } from './verbs/environment.ts';
import { eventsVerb } from './verbs/events.ts';
import { forgeNoun } from './verbs/forge.ts';
import { incidentNoun } from './verbs/incident.ts';
import { intakeNoun } from './verbs/intake.ts';
import { keyNoun } from './verbs/key.ts';
import { mcpVerb } from './verbs/mcp.ts';
import { modelNoun, replayNoun } from './verbs/model.ts';
import { budgetNoun, ledgerNoun, priceNoun, usageVerb } from './verbs/money.ts';
import { notifyNoun } from './verbs/notify.ts';
import { projectNoun } from './verbs/project.ts';
import { purchaseNoun } from './verbs/purchase.ts';
import { runNoun } from './verbs/run.ts';
import { scheduleNoun } from './verbs/schedule.ts';
import { secretNoun } from './verbs/secret.ts';
import { taskNoun } from './verbs/task.ts';
import { tlsNoun } from './verbs/tls.ts';
import { trafficNoun } from './verbs/traffic.ts';
import { tokenNoun } from './verbs/token.ts';
import { userNoun } from './verbs/user.ts';
import { workerNoun } from './verbs/worker.ts';

/** Every verb, in the order in which help shows them. */
export const VERBS: (Verb | Noun)[] = [
  demoVerb,
  upVerb,
  downVerb,
  statusVerb,
  doctorVerb,
  projectNoun,
  forgeNoun,
  taskNoun,
  runNoun,
  changeNoun,
  scheduleNoun,
  intakeNoun,
  incidentNoun,
  notifyNoun,
  drainNoun,
  eventsVerb,
  mcpVerb,
  agentNoun,
  environmentNoun,
  workerNoun,
  tlsNoun,
  modelNoun,
  keyNoun,
  egressNoun,
  trafficNoun,
  replayNoun,
  budgetNoun,
  usageVerb,
  priceNoun,
  ledgerNoun,
  purchaseNoun,
  userNoun,
  auditNoun,
  tokenNoun,
  secretNoun,
  configNoun,
  backupNoun,
];

/** Options that every verb takes; shown by `autocode --help`, only named by the help of a verb. */
const EVERYWHERE = ['json', 'verbose', 'config', 'set', 'url', 'token-file', 'ca-file', 'help'];
const HELP_NOTE = `Everywhere: ${EVERYWHERE.map((option) => `--${option}`).join(' ')} (see \`autocode --help\`)`;

/** The program for these words; `parseAsync()` runs the verb that they name. */
export function program(words: string[], width = helpWidth()): Argv {
  const top = yargs(words)
    .scriptName('autocode')
    .parserConfiguration({ 'parse-positional-numbers': false })
    .usage('$0 – tasks become verified branches\n\nUsage: $0 <command>')
    .epilogue('`autocode <command> --help` explains each with examples. Start with `autocode demo`.')
    .options({
      json: { type: 'boolean', default: false, describe: 'JSON on stdout; errors too' },
      verbose: { type: 'boolean', default: false, describe: 'More words; stacks of errors' },
      config: { type: 'string', describe: 'Configuration file', requiresArg: true },
      set: { type: 'string', array: true, nargs: 1, describe: 'Configuration value, as api.port=7000' },
      url: { type: 'string', describe: "Another daemon's address (or AUTOCODE_URL)", requiresArg: true },
      'token-file': {
        type: 'string',
        describe: 'File with its token (or AUTOCODE_TOKEN)',
        requiresArg: true,
      },
      'ca-file': {
        type: 'string',
        describe: 'Authority to trust there, as PEM (or AUTOCODE_CA_FILE)',
        requiresArg: true,
      },
    })
    .group(EVERYWHERE, 'Everywhere:')
    .help('help')
    .version(false)
    .completion('completion', 'Print a completion script for bash or zsh: `autocode completion >> ~/.bashrc`')
    .wrap(width)
    .strict()
    .recommendCommands()
    .demandCommand(1, 'Say what to do.')
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message, error) => {
      if (error instanceof Error && error.name !== 'YError') throw error;
      const { help, command } = nearestCommand(words);
      throw new UsageError(said(message ?? error.message, command), help);
    });
  for (const item of VERBS) {
    if (isNoun(item)) addNoun(top, item);
    else addVerb(top, item);
  }
  return top;
}

function helpWidth(): number {
  return process.stdout.isTTY ? Math.min(process.stdout.columns || 80, 120) : 100;
}

function addNoun(parent: Argv, { noun, describe, verbs }: Noun, above: string[] = []): void {
  const words = [...above, noun];
  parent.command(noun, describe, (own) => {
    own.usage(`${describe}\n\nUsage: $0 ${words.join(' ')} <verb>`);
    for (const each of verbs) {
      if (isNoun(each)) addNoun(own, each, words);
      else addVerb(own, each, words);
    }
    return own.demandCommand(
      1,
      `Say what to do with the ${words.join(' ')}: ${verbs.map(nameOf).join(', ')}.`,
    );
  });
}

function addVerb(parent: Argv, verb: Verb, above: string[] = []): void {
  const words = [...above, verb.command].join(' ');
  parent.command(
    [verb.command, ...(verb.aliases ?? [])],
    verb.describe,
    (own) => {
      own.usage(`${verb.describe}\n\nUsage: $0 ${words} [options]`);
      own.epilogue([verb.epilogue, HELP_NOTE].filter(Boolean).join('\n\n'));
      for (const option of EVERYWHERE) own.hide(option);
      for (const [command, what] of verb.examples) own.example(`$0 ${command}`, what);
      return verb.builder(own);
    },
    async (args) => {
      const wrong = Object.keys(args).find((name) => Number.isNaN(args[name]));
      if (wrong !== undefined)
        throw new UsageError(`${wrong} must be a number.`, `autocode ${words.replace(/ [<[].*/, '')}`);
      const handler = await verb.load();
      await handler(args as never);
    },
  );
}

/** The command that the words come nearest to: whose help is worth reading, and what it wants. */
function nearestCommand(words: string[]): { help: string; command: string } {
  const given = words.filter((word) => !word.startsWith('-'));
  let help = 'autocode';
  for (let known = VERBS; ;) {
    const item = known.find((each) => nameOf(each) === given[0]);
    if (item === undefined) return { help, command: `${help} <${help === 'autocode' ? 'command' : 'verb'}>` };
    if (!isNoun(item)) return { help: `${help} ${nameOf(item)}`, command: `${help} ${item.command}` };
    help += ` ${given.shift()}`;
    known = item.verbs;
  }
}

/** `list` of `list`, `show` of `show <task>`, `project` of the noun. */
export function nameOf(item: Verb | Noun): string {
  const words = isNoun(item) ? item.noun : item.command;
  return words.split(' ', 1)[0] ?? words;
}

/** Every verb with the nouns above it. */
export function everyVerb(
  items: (Verb | Noun)[] = VERBS,
  above: string[] = [],
): { above: string[]; verb: Verb }[] {
  return items.flatMap((item) =>
    isNoun(item) ? everyVerb(item.verbs, [...above, item.noun]) : [{ above, verb: item }],
  );
}

/** yargs' own messages, as sentences. */
function said(message: string, command: string): string {
  const text = message.trim().replace(/\s*\n\s*/g, ' ');
  if (text.startsWith('Not enough non-option arguments')) return `Something is missing: ${command}.`;
  const meant = /^Did you mean (.+)\?$/.exec(text)?.[1];
  if (meant !== undefined) return `There is no such command; did you mean "${meant}"?`;
  const [, given, needed] = /^Missing dependent arguments: (\S+) -> (\S+?)\.?$/.exec(text) ?? [];
  if (given !== undefined) return `--${given} needs --${needed}.`;
  const [, one, other] = /^Arguments (\S+) and (\S+) are mutually exclusive/.exec(text) ?? [];
  if (one !== undefined) return `--${one} and --${other} cannot go together.`;
  return /[.?!]$/.test(text) ? text : `${text}.`;
}
