// `autocode egress setup|proxy` and `egress ca …`: definitions. The handlers are in ../egress-proxy.ts.
import type { Argv } from 'yargs';
import { verb, type Noun, type Verb } from '../command.ts';

export const egressProxyVerbs: (Verb | Noun)[] = [
  verb({
    command: 'setup',
    describe: 'Install mitmproxy, which the egress proxy is made of',
    examples: [['egress setup', 'once; about 130 MB into the data directory']],
    epilogue: 'Needs Python 3.11 or newer with venv. The wheels are pinned by their hashes.',
    load: async () => (await import('../egress-proxy.ts')).setUpEgress,
  }),
  verb({
    command: 'proxy',
    describe: 'Be the egress proxy, in the foreground',
    examples: [['egress proxy --config /etc/autocode/autocode.yaml', 'what autocode-proxy.service does']],
    epilogue: 'Only with `egress.service: true`; otherwise the daemon starts the proxy.',
    load: async () => (await import('../egress-proxy.ts')).runProxy,
  }),
  {
    noun: 'ca',
    describe: 'The authority by which the egress proxy signs for servers outside',
    verbs: [
      verb({
        command: 'init',
        describe: 'Make it, unless there is one',
        examples: [['egress ca init', '']],
        load: async () => (await import('../egress-proxy.ts')).initAuthority,
      }),
      verb({
        command: 'show',
        describe: 'Show its name, fingerprint and end',
        examples: [['egress ca show', '']],
        load: async () => (await import('../egress-proxy.ts')).showAuthority,
      }),
      verb({
        command: 'rotate',
        describe: 'Make a new one in its place',
        examples: [['egress ca rotate', '']],
        epilogue: 'Best after `autocode drain start`: runs that go on trust the old one alone.',
        load: async () => (await import('../egress-proxy.ts')).rotateAuthority,
      }),
      verb({
        command: 'export',
        describe: 'Write its certificate; the key never leaves',
        examples: [['egress ca export --file egress-ca.pem', 'for a tool that wants to trust it']],
        builder: (yargs: Argv) =>
          yargs.option('file', {
            type: 'string',
            requiresArg: true,
            describe: 'Where to; stdout when left out',
          }),
        load: async () => (await import('../egress-proxy.ts')).exportAuthority,
      }),
      verb({
        command: 'install',
        describe: 'Make this machine trust it: the system, Node, Python, Java',
        examples: [
          ['egress ca install --dry-run', 'only tell what would be done'],
          ['egress ca install --certificate egress-ca.pem', 'on a worker or a machine of a developer'],
          ['egress ca install --remove', 'trust it no more'],
        ],
        epilogue:
          'curl, git and most else trust what the system trusts; the others are told by /etc/profile.d, at the next login.',
        builder: (yargs: Argv) =>
          yargs
            .option('certificate', {
              type: 'string',
              requiresArg: true,
              describe: 'File of `egress ca export`; that of this installation when left out',
            })
            .option('remove', { type: 'boolean', default: false, describe: 'Take it out again' })
            .option('dry-run', { type: 'boolean', default: false, describe: 'Change nothing' }),
        load: async () => (await import('../egress-trust.ts')).trustAuthority,
      }),
    ],
  },
];
