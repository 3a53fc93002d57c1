// `autocode secret …`: definitions. Handlers are in ../secrets.ts, and in ../vault.ts for what concerns Vault itself.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { bindingVerbs } from './secret-bindings.ts';

const named = (yargs: Argv) =>
  yargs.positional('name', {
    type: 'string',
    demandOption: true,
    describe: 'Its name, as payments/card_primary',
  });
const FILE = {
  type: 'string',
  requiresArg: true,
  describe: 'File with the value; - for stdin. The end of the last line does not belong to it',
} as const;

export const secretNoun: Noun = {
  noun: 'secret',
  describe: 'API keys and passwords, kept sealed or in Vault',
  verbs: [
    verb({
      command: 'set <name>',
      describe: 'Keep a value: typed (not shown), from stdin or from a file, never from the command line',
      examples: [
        ['secret set openai-key', ''],
        ['secret set openai-key --file ./key', ''],
        ['secret set openai-key < ./key', ''],
      ],
      epilogue: 'The configuration names secrets, as in models.engines[].apiKeySecret.',
      builder: (yargs: Argv) => named(yargs).option('file', FILE),
      load: async () => (await import('../secrets.ts')).setSecret,
    }),
    verb({
      command: 'get <name>',
      describe: 'Show that a secret is there, and since when',
      examples: [['secret get openai-key', '']],
      builder: (yargs: Argv) =>
        named(yargs).option('reveal', {
          type: 'boolean',
          default: false,
          describe: 'Print the value; that it was shown, and to whom, is an event',
        }),
      load: async () => (await import('../secrets.ts')).getSecret,
    }),
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List names and versions (never values)',
      examples: [['secret list', '']],
      load: async () => (await import('../secrets.ts')).listSecrets,
    }),
    verb({
      command: 'history <name>',
      describe: 'List the versions of a secret (never values)',
      examples: [['secret history openai-key', '']],
      builder: named,
      load: async () => (await import('../secrets.ts')).secretHistory,
    }),
    verb({
      command: 'rotate <name>',
      describe: 'Put a new value in the place of one that is there',
      examples: [
        ['secret rotate openai-key < ./new-key', ''],
        ['secret rotate webhook-git.example.com --generate', ''],
      ],
      builder: (yargs: Argv) =>
        named(yargs).option('file', FILE).option('generate', {
          type: 'boolean',
          default: false,
          conflicts: 'file',
          describe: 'Make a random value of 32 bytes (base64url)',
        }),
      load: async () => (await import('../secrets.ts')).rotateSecret,
    }),
    verb({
      command: 'import <file>',
      describe: 'Keep all values of a dotenv or JSON file',
      examples: [
        ['secret import .env', ''],
        ['secret import - --prefix shop/ < secrets.json', ''],
      ],
      builder: (yargs: Argv) =>
        yargs
          .positional('file', { type: 'string', demandOption: true, describe: 'The file; - for stdin' })
          .option('prefix', { type: 'string', default: '', describe: 'What stands before each name' })
          .option('replace', {
            type: 'boolean',
            default: false,
            describe: 'Write a new version of those that are there already',
          }),
      load: async () => (await import('../secrets.ts')).importSecrets,
    }),
    verb({
      command: 'delete <name>',
      aliases: ['remove'],
      describe: 'Remove a secret with all its versions',
      examples: [['secret delete openai-key', '']],
      builder: named,
      load: async () => (await import('../secrets.ts')).deleteSecret,
    }),
    ...bindingVerbs,
    verb({
      command: 'setup',
      describe: 'Make a new Vault ready: initialise, unseal, policies, AppRoles; shows the key shares once',
      examples: [
        ['secret setup', ''],
        ['secret setup --shares 3 --threshold 2 --json', ''],
        ['secret setup --rotate', 'Only replace the secret id that Autocode logs in with'],
      ],
      epilogue:
        'Called again, it finishes what an interrupted call has left, or says that all is there. For a Vault that somebody else has initialised, set VAULT_TOKEN to a token of its operator. See docs/secrets.md.',
      builder: (yargs: Argv) =>
        yargs
          .option('shares', { type: 'number', default: 5, describe: 'Into how many shares the key is split' })
          .option('threshold', { type: 'number', default: 3, describe: 'How many of them unseal it' })
          .option('audit-file', {
            type: 'string',
            default: '/var/log/autocode-vault/audit.log',
            describe: 'The file that Vault records each request in, where Vault runs',
          })
          .option('certificates', {
            type: 'boolean',
            default: false,
            describe: 'Only make the certificate of Vault, by the authority of this installation',
          })
          .option('rotate', {
            type: 'boolean',
            default: false,
            describe: 'Only replace the secret id, and destroy the older ones',
          }),
      load: async () => (await import('../vault.ts')).setup,
    }),
    verb({
      command: 'unseal',
      describe:
        'Give Vault its key shares after a start: typed (not shown), or a line each from stdin or a file',
      examples: [['secret unseal', '']],
      builder: (yargs: Argv) =>
        yargs.option('file', {
          type: 'string',
          requiresArg: true,
          describe: 'File with key shares; - for stdin',
        }),
      load: async () => (await import('../vault.ts')).unseal,
    }),
    verb({
      command: 'move',
      describe: 'Bring the secrets that are sealed in the data directory to Vault',
      examples: [['secret move', '']],
      epilogue:
        'Of each the newest version; what is in Vault already stays. Keys of Autocode’s own stay where they are.',
      load: async () => (await import('../vault.ts')).move,
    }),
  ],
};
