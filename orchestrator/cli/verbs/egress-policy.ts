// `autocode egress policy …`: definitions. Handlers are in ../egress-policy/.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

const ofProject = <A>(yargs: Argv<A>, describe: string) =>
  yargs.option('project', { alias: 'p', type: 'string', requiresArg: true, describe });
const OF_PROJECT = 'That of this project, beside the one of the installation';
const QUOTED =
  "Quote each rule: 'method=GET host=example.com path=/v1/**'. docs/egress.md explains the language.";

const rulesOf = (yargs: Argv) =>
  ofProject(
    yargs.positional('rules', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'Rules; one without allow, deny or preset in front allows',
    }),
    OF_PROJECT,
  );

export const egressPolicyNoun: Noun = {
  noun: 'policy',
  describe: 'Which requests of runs may leave (docs/egress.md)',
  verbs: [
    verb({
      command: 'show',
      describe: 'Print the policy as it was set, ready for `egress policy set`',
      examples: [
        [
          'egress policy show --project shop --effective',
          'all that holds for a project, presets written out',
        ],
      ],
      builder: (yargs: Argv) =>
        ofProject(yargs, OF_PROJECT).option('effective', {
          type: 'boolean',
          default: false,
          describe: 'Every rule that holds, in its canonical form',
        }),
      load: async () => (await import('../egress-policy/show.ts')).showPolicy,
    }),
    verb({
      command: 'set <file>',
      describe: 'Put a file in place of the policy; one with mistakes changes nothing',
      examples: [
        ['egress policy set egress.rules --dry-run', 'the difference alone'],
        ['egress policy set - --project shop', 'from standard input'],
      ],
      builder: (yargs: Argv) =>
        ofProject(yargs, OF_PROJECT)
          .positional('file', {
            type: 'string',
            demandOption: true,
            describe: 'The rules; - is standard input',
          })
          .option('dry-run', { type: 'boolean', default: false, describe: 'Change nothing' }),
      load: async () => (await import('../egress-policy/change.ts')).setPolicy,
    }),
    verb({
      command: 'allow <rules..>',
      describe: 'Add rules or presets',
      examples: [
        ["egress policy allow 'preset npm' 'preset pypi'", 'for all projects'],
        ["egress policy allow 'method=POST host=api.example.com path=/v1/**' --project shop", ''],
        ["egress policy allow 'deny host=**.example.net'", 'what denies goes before all that allow'],
      ],
      epilogue: QUOTED,
      builder: rulesOf,
      load: async () => (await import('../egress-policy/change.ts')).allowRules,
    }),
    verb({
      command: 'remove <rules..>',
      aliases: ['rm'],
      describe: 'Remove rules or presets',
      examples: [["egress policy remove 'preset npm'", '']],
      epilogue: QUOTED,
      builder: rulesOf,
      load: async () => (await import('../egress-policy/change.ts')).removeRules,
    }),
    verb({
      command: 'test <target>',
      describe: 'Say whether a request may leave, by which rule, or which one would allow it',
      examples: [
        ['egress policy test https://registry.npmjs.org/left-pad --project shop', 'exit code 1: it may not'],
        ['egress policy test https://git.intra.example --address 10.1.2.3', 'where the name leads there'],
      ],
      epilogue: 'Nothing is looked up or sent. Without --address the name is supposed to lead where it may.',
      builder: (yargs: Argv) =>
        ofProject(yargs, 'By a run of this project')
          .positional('target', {
            type: 'string',
            demandOption: true,
            describe: 'As https://example.com/path',
          })
          .option('method', {
            alias: 'X',
            type: 'string',
            default: 'GET',
            requiresArg: true,
            describe: 'Its method',
          })
          .option('address', { type: 'string', requiresArg: true, describe: 'The IP address of its host' }),
      load: async () => (await import('../egress-policy/show.ts')).testPolicy,
    }),
    verb({
      command: 'record <project>',
      describe: 'Let a project reach all of the internet for a while, and record it, to learn from',
      examples: [
        ['egress policy record shop --hours 8', ''],
        ['egress policy record shop --stop', 'before its time'],
      ],
      epilogue: 'Private addresses and what a rule denies stay refused.',
      builder: (yargs: Argv) =>
        yargs
          .positional('project', { type: 'string', demandOption: true, describe: "The project's name" })
          .option('hours', {
            type: 'number',
            default: 24,
            requiresArg: true,
            describe: 'How long, at most 168',
          })
          .option('stop', { type: 'boolean', default: false, describe: 'End it now' }),
      load: async () => (await import('../egress-policy/learn.ts')).recordProject,
    }),
    verb({
      command: 'learn',
      describe: 'Propose rules for what a project was refused, or did in record mode',
      examples: [
        ['egress policy learn --project shop', 'what would be added'],
        ['egress policy learn --project shop --since 2h --apply', 'and add it, once you have said yes'],
      ],
      builder: (yargs: Argv) =>
        yargs
          .option('project', {
            alias: 'p',
            type: 'string',
            requiresArg: true,
            demandOption: true,
            describe: 'The project',
          })
          .option('since', {
            type: 'string',
            default: '7d',
            requiresArg: true,
            describe: 'From records of then on: 7d, 12h, or a time as 2026-01-31T08:00Z',
          })
          .option('apply', { type: 'boolean', default: false, describe: "Add them to the project's policy" })
          .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Without asking' }),
      load: async () => (await import('../egress-policy/learn.ts')).learnPolicy,
    }),
  ],
};
