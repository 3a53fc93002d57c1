// `autocode environment …`: definitions. Handlers are in ../environment/.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { SANDBOXES } from './choices.ts';

const named = (yargs: Argv) =>
  yargs.positional('name', { type: 'string', demandOption: true, describe: "The environment's name" });

export const environmentNoun: Noun = {
  noun: 'environment',
  describe:
    "Root directories with the tools of projects, which runs see instead of the worker's own (docs/environments.md)",
  verbs: [
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List environments',
      examples: [['environment list', '']],
      load: async () => (await import('../environment/show.ts')).listEnvironments,
    }),
    verb({
      command: 'show <name>',
      describe: 'Show an environment',
      examples: [['environment show node22', '']],
      builder: named,
      load: async () => (await import('../environment/show.ts')).showEnvironment,
    }),
    verb({
      command: 'import <name> <path>',
      describe: 'Make an environment, or its next version, of what is on this machine; nothing is fetched',
      examples: [
        ['environment import node22 node22.tar', 'what `docker save node:22` wrote, layers and all'],
        ['environment import rust ./oci-layout', 'an OCI image layout, as a directory or an archive'],
        ['environment import jammy /srv/jammy', 'a root directory, or a tar of one (plain, gzip, zstd)'],
      ],
      epilogue:
        'A run needs /bin/sh, and for most agents glibc 2.28 or newer and libstdc++: `environment check` tells. Devices and set-user-id bits are left out.',
      builder: (yargs: Argv) =>
        named(yargs)
          .positional('path', {
            type: 'string',
            demandOption: true,
            describe: 'Root directory, tar, OCI image layout, or archive of `docker save`',
          })
          .option('variable', {
            type: 'string',
            array: true,
            nargs: 1,
            describe:
              'Environment variable of its programs, as JAVA_HOME=/opt/jdk, besides those of the image; repeat for more',
          }),
      load: async () => (await import('../environment/import.ts')).importEnvironment,
    }),
    verb({
      command: 'check <name>',
      describe:
        'Try an environment in a sandbox on this machine: agents, tools, a browser; exit code 1 when an agent does not start',
      examples: [['environment check node22', '']],
      builder: (yargs: Argv) =>
        named(yargs).option('isolation', {
          choices: SANDBOXES,
          default: SANDBOXES[0],
          describe: 'Which sandbox',
        }),
      load: async () => (await import('../environment/check.ts')).checkEnvironment,
    }),
    verb({
      command: 'suggest [path]',
      describe:
        'Say which environment fits a checkout, by its devcontainer.json, mise.toml, .tool-versions and Nix files',
      examples: [['environment suggest ~/src/shop', '']],
      builder: (yargs: Argv) =>
        yargs.positional('path', {
          type: 'string',
          default: '.',
          describe: 'Checkout of the repository, or a project',
        }),
      load: async () => (await import('../environment/suggest.ts')).suggestEnvironment,
    }),
    verb({
      command: 'remove <name>',
      describe: 'Take an environment out of use; refused while a project names it',
      examples: [['environment remove node20', '']],
      builder: (yargs: Argv) =>
        named(yargs).option('yes', { type: 'boolean', default: false, describe: 'Do not ask' }),
      load: async () => (await import('../environment/show.ts')).removeEnvironment,
    }),
  ],
};
