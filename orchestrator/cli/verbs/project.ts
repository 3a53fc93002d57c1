// `autocode project …`: definitions. Handlers are in ../project/.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { projectFileNoun } from './project-file.ts';
import { importVerb } from './project-import.ts';
import { projectMemoryNoun } from './project-memory.ts';
import { projectRepoNoun } from './project-repo.ts';
import { AFTER_CHANGE, FILE_SETTINGS, ISOLATIONS, MERGE_METHODS, PLACEMENT_CHOICES } from './choices.ts';
import { forgeOptions } from './forge-options.ts';
import { limitOptions } from './limit-options.ts';

const project = (yargs: Argv) =>
  yargs.positional('project', { type: 'string', demandOption: true, describe: "The project's name" });

/** What `add` and `set` have in common. */
function settings<A>(yargs: Argv<A>) {
  return limitOptions(
    forgeOptions(yargs)
      .option('verify', {
        type: 'string',
        array: true,
        nargs: 1,
        describe:
          "Verify command, as 'test=npm test', or 'web:test=npm test' in one of several repositories; repeat for more",
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
      }),
  )
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
    .option('approve-plan', {
      type: 'boolean',
      describe: 'Each task waits with its plan for `task approve` before the work begins',
    })
    .option('permit', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: "What agents may do, by kind of tool, as 'execute=deny'; repeat for more (docs/steering.md)",
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
    .option('memory', {
      type: 'boolean',
      describe:
        'Runs are given the notes that earlier runs left, and leave their own, as by default (--no-memory: neither)',
    })
    .option('dependency-caches', {
      type: 'boolean',
      describe:
        'Workers keep what package managers fetched for later runs, as by default (--no-dependency-caches: not)',
    })
    .option('isolation', {
      choices: ISOLATIONS,
      requiresArg: true,
      describe:
        'What runs are confined by: bubblewrap (the default), container (the same by crun), gvisor (with a kernel of its own, by runsc), or directory, which is none and needs --trusted',
    })
    .option('environment', {
      type: 'string',
      requiresArg: true,
      describe:
        "Where the programs of its runs come from (`environment list`); host: the worker's own machine",
    })
    .option('placement', {
      choices: PLACEMENT_CHOICES,
      requiresArg: true,
      describe:
        'Workers that may take its runs (docs/fleet.md); any, as by default, takes the first with room',
    })
    .option('worker-label', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'Runs are for workers with this label; repeat for more, empty for none',
    })
    .option('run-memory', {
      type: 'number',
      requiresArg: true,
      describe: 'MiB that are set aside on the worker for each run; 0: as configured for the agent',
    })
    .option('after-change', {
      choices: AFTER_CHANGE,
      requiresArg: true,
      describe:
        'Where a task begins while another has an open change: base, at the base branch (the default); stack, upon that change; wait, when it was merged or closed (docs/scheduling.md)',
    })
    .option('max-runs', {
      type: 'number',
      requiresArg: true,
      describe: 'Its runs at a time; 0: as configured',
    })
    .option('quiet-hours', {
      type: 'string',
      array: true,
      nargs: 1,
      describe:
        "When no run begins, as '22:00-06:00 Europe/Berlin'; repeat for more, empty for none, 'default' as configured",
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
        [
          "project add --name shop --repo ~/src/api --repo web=~/src/shop-web --verify 'web:test=npm test'",
          'several repositories in one project (docs/several-repositories.md)',
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
          .option('repo', {
            type: 'string',
            array: true,
            nargs: 1,
            describe:
              "A repository, as a path, a URL or 'web=URL'; repeat for more, the first is the primary one",
          })
          .option('allow-dirty', {
            type: 'boolean',
            default: false,
            describe: 'Accept a working copy with uncommitted changes (no run sees them)',
          }),
      load: async () => (await import('../project/add.ts')).addProject,
    }),
    importVerb,
    projectFileNoun,
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
        [
          'project set shop --max-calls 400 --max-tokens 40M',
          'where the gateway stops one run (docs/gateway.md)',
        ],
        ["project set shop --check lockfiles=refuse --allow 'workflow-files=.github/workflows/docs.yml'", ''],
      ],
      builder: (yargs: Argv) =>
        settings(project(yargs)).option('from-file', {
          choices: FILE_SETTINGS,
          array: true,
          nargs: 1,
          describe: 'Take back what was set, so that .autocode.yaml decides it; repeat for more',
        }),
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
    projectRepoNoun,
    projectMemoryNoun,
  ],
};
