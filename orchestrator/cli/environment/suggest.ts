// `autocode environment suggest`: what a checkout wishes for, which environment has it, and what has no counterpart.
import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { Environment } from '../../../protocol/environment.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Project } from '../../../protocol/project.ts';
import { wishesOf } from '../../environments/suggest/read.ts';
import { lacks, type Lack } from '../../environments/suggest/wishes.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { printable } from '../format.ts';
import { print, printJson, table } from '../output.ts';
import { toolsIn } from './check.ts';

interface Candidate {
  name: string;
  lacks: Lack[];
}

/** Tells it; each environment is asked for its tools in a sandbox on this machine. */
export async function suggestEnvironment(args: GlobalArgs & { path: string }): Promise<void> {
  const checkout = await checkoutOf(args);
  const wishes = wishesOf(checkout);
  const candidates: Candidate[] = [];
  if (wishes.tools.length > 0)
    for (const environment of await connect(args).get('/environments', z.array(Environment)))
      candidates.push({
        name: environment.name,
        lacks: lacks(wishes.tools, await toolsIn(args, environment)),
      });
  candidates.sort((a, b) => a.lacks.length - b.lacks.length);
  const fitting = candidates.find((each) => each.lacks.length === 0)?.name ?? null;
  if (args.json) return printJson({ ...wishes, environments: candidates, fitting });
  if (wishes.files.length === 0)
    return print(
      'No devcontainer.json, mise.toml, .tool-versions or Nix file says what this repository needs.',
    );
  print(...wishLines(wishes.tools.map(({ tool, version, from }) => `${tool} ${version} (${from})`)));
  if (candidates.length > 0)
    print(
      '',
      table(candidates, [
        { title: 'ENVIRONMENT', value: ({ name }) => name },
        { title: 'LACKS', value: (each) => printable(each.lacks.map(lackWords).join(', ')) || 'nothing' },
      ]),
    );
  const variables = Object.entries(wishes.variables);
  if (variables.length > 0)
    print(
      '',
      `Variables: import with ${variables.map(([name, value]) => `--variable '${printable(`${name}=${value}`)}'`).join(' ')}`,
    );
  if (wishes.unmapped.length > 0)
    print(
      '',
      'Has no counterpart here:',
      ...wishes.unmapped.map(({ what, todo }) => `  ${printable(what)}: ${printable(todo)}`),
    );
  print(
    '',
    fitting === null
      ? noneWords(wishes.tools.length)
      : `It fits: autocode project set PROJECT --environment ${fitting}`,
  );
}

/** A directory, or a project whose repository is one on this machine. */
async function checkoutOf(args: GlobalArgs & { path: string }): Promise<string> {
  const isDirectory = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isDirectory(args.path)) return resolve(args.path);
  const all = await connect(args).get('/projects', z.array(Project));
  const origin = all.find(({ name }) => name === args.path)?.repositories[0]?.origin ?? '';
  if (isAbsolute(origin) && isDirectory(origin)) return origin;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `${args.path} is neither a directory nor a project whose repository is one on this machine.`,
    { remedy: 'Give a checkout of the repository.' },
  );
}

function wishLines(tools: string[]): string[] {
  return tools.length === 0
    ? ['No tool is asked for by name.']
    : [`Asked for: ${printable(tools.join(', '))}`];
}

function lackWords({ wish, there }: Lack): string {
  return `${wish.tool} ${wish.version} (${there === null ? 'not there' : `has ${there}`})`;
}

function noneWords(tools: number): string {
  return tools === 0
    ? 'Choose one of `autocode environment list`, or import one.'
    : 'None has all of it: import an image that has (`autocode environment import`).';
}
