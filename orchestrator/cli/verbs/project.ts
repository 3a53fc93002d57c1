// `autocode project …`: definitions. Handlers are in ../project/.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { FORGE_KINDS, ISOLATIONS, MERGE_METHODS } from './choices.ts';

const project = (yargs: Argv) =>
  yargs.positional('project', { type: 'string', demandOption: true, describe: "The project's name" });

/** What `add` and `set` have in common. */
function settings<A>(yargs: Argv<A>) {
  return yargs
    .option('verify', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: "Verify command, as 'test=npm test'; repeat for more",
    })
    .option('branch', {
      type: 'string',
      requiresArg: true,
      describe: "Default branch; the repository's own when left out",
    })
    .option('agent', { type: 'string', requiresArg: true, describe: 'Coding agent (`agent list`)' })
    .option('agent-command', {
      type: 'string',
      requiresArg: true,
      describe: 'Program of the agent `command`, as a JSON array or plain words',
    })
    .option('model', {
      alias: 'm',
      type: 'string',
      requiresArg: true,
      describe: 'Model, as engine/model (`model list`)',
    })
    .option('deadline', { type: 'number', requiresArg: true, describe: 'Minutes that one run may take' })
    .option('iterations', {
      type: 'number',
      requiresArg: true,
      describe: 'How often a failing verify goes back to the agent',
    })
    .option('check', {
      type: 'string',
      array: true,
      nargs: 1,
      describe:
        "What a submission check does, as 'workflow-files=warn': refuse, warn or off; repeat for more",
    })
    .option('allow', {
      type: 'string',
      array: true,
      nargs: 1,
      describe:
        "Paths that a submission check lets pass, as 'lockfiles=docs/**'; added to its list, 'lockfiles=' empties it",
    })
    .option('forge', {
      type: 'string',
      requiresArg: true,
      describe: "Name of its forge (docs/forges.md); found by the repository's address when left out",
    })
    .option('forge-url', {
      type: 'string',
      requiresArg: true,
      describe: 'Address of a forge not named before',
    })
    .option('forge-kind', {
      choices: FORGE_KINDS,
      requiresArg: true,
      describe: 'What a forge not named before is; found out when left out',
    })
    .option('forge-token-file', {
      type: 'string',
      requiresArg: true,
      describe:
        "File with the forge's access token, or a GitHub App's private key; `-` for standard input; kept as a secret",
    })
    .option('forge-app-id', {
      type: 'string',
      requiresArg: true,
      describe: 'Id of the GitHub App whose private key is in --forge-token-file',
    })
    .option('forge-webhook-secret-file', {
      type: 'string',
      requiresArg: true,
      describe: 'File with the secret that the forge signs its webhooks with',
    })
    .option('reviewer', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'Asked to review each change, besides those of CODEOWNERS; repeat for more, empty for none',
    })
    .option('label', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'Label of each pull request, made when missing; repeat for more, empty for none',
    })
    .option('draft', {
      type: 'boolean',
      describe: 'Open pull requests as drafts (--no-draft: ready for review)',
    })
    .option('merge-method', {
      choices: [...MERGE_METHODS, 'default'] as const,
      requiresArg: true,
      describe: "How `change merge` merges; default: as the forge's repository has it",
    })
    .option('isolation', {
      choices: ISOLATIONS,
      requiresArg: true,
      describe:
        'What runs are confined by: bubblewrap (the default), or directory, which is none and needs --trusted',
    })
    .option('trusted', {
      type: 'boolean',
      describe:
        'Allow runs without a sandbox (--isolation directory): the agent then has the rights of the worker',
    });
}

export const projectNoun: Noun = {
  noun: 'project',
  describe: 'Repositories that Autocode works on',
  verbs: [
    verb({
      command: 'add [repository]',
      describe: 'Register a repository as a project',
      examples: [
        ['project add ~/src/shop', 'verify commands are found in the repository'],
        [
          "project add https://git.example.com/shop.git --verify 'test=npm test' --verify 'lint=npm run lint'",
          '',
        ],
        [
          'project add https://git.example.com/acme/shop.git --forge-token-file token.txt --label autocode',
          'with pull requests',
        ],
        [
          'project add https://github.com/acme/shop --forge-app-id 1234 --forge-token-file app.pem --draft',
          'on GitHub, as an App',
        ],
        ['project add --name scratch', 'without a repository: a new bare one on the local forge'],
      ],
      builder: (yargs: Argv) =>
        settings(yargs.positional('repository', { type: 'string', describe: 'Path or git URL' }))
          .option('name', {
            type: 'string',
            requiresArg: true,
            describe: "Name; the repository's folder when left out",
          })
          .option('allow-dirty', {
            type: 'boolean',
            default: false,
            describe: 'Accept a working copy with uncommitted changes (no run sees them)',
          }),
      load: async () => (await import('../project/add.ts')).addProject,
    }),
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List projects',
      examples: [['project list', '']],
      load: async () => (await import('../project/list.ts')).listProjects,
    }),
    verb({
      command: 'show <project>',
      describe: 'Show a project',
      examples: [['project show shop', '']],
      builder: project,
      load: async () => (await import('../project/show.ts')).showProject,
    }),
    verb({
      command: 'set <project>',
      describe: 'Change a project; what is not named stays',
      examples: [
        ["project set shop --verify 'test=npm test -- --ci'", ''],
        ['project set shop --isolation directory --trusted', 'no sandbox; every run says so in its log'],
        ["project set shop --check lockfiles=refuse --allow 'workflow-files=.github/workflows/docs.yml'", ''],
      ],
      builder: (yargs: Argv) => settings(project(yargs)),
      load: async () => (await import('../project/set.ts')).setProject,
    }),
    verb({
      command: 'remove <project>',
      aliases: ['rm'],
      describe: 'Archive a project; its tasks and changes stay to be read',
      examples: [['project remove shop', '']],
      builder: project,
      load: async () => (await import('../project/remove.ts')).removeProject,
    }),
  ],
};
