// Finds out what a checkout wishes for: devcontainer.json, mise.toml, .tool-versions; Nix files are named, not evaluated.
// Used by `autocode environment suggest`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AutocodeError } from '../../../protocol/errors.ts';
import { devcontainerWishes } from './devcontainer.ts';
import type { ToolWish, Wishes } from './wishes.ts';

const DEVCONTAINERS = ['.devcontainer/devcontainer.json', '.devcontainer.json'];
const MISE = ['mise.toml', '.mise.toml', '.config/mise.toml'];
const NIX = ['flake.nix', 'shell.nix', 'devenv.nix'];
/** Names of mise and asdf for tools that have another one here. */
const SAME: Record<string, string> = { nodejs: 'node', golang: 'go' };

/** The wishes of all such files, and which files there are. */
export function wishesOf(checkout: string): Wishes & { files: string[] } {
  const all: Wishes & { files: string[] } = { files: [], tools: [], variables: {}, unmapped: [] };
  const each = (names: string[], read: (text: string, name: string) => Partial<Wishes>) => {
    for (const name of names) {
      const text = textOf(join(checkout, name));
      if (text === undefined) continue;
      const { tools = [], variables = {}, unmapped = [] } = parsed(name, () => read(text, name));
      all.files.push(name);
      all.tools.push(...tools);
      Object.assign(all.variables, variables);
      all.unmapped.push(...unmapped);
    }
  };
  each(DEVCONTAINERS, devcontainerWishes);
  each(MISE, (text, from) => ({ tools: miseTools(text, from) }));
  each(['.tool-versions'], (text, from) => ({ tools: toolVersions(text, from) }));
  each(NIX, (_, name) => ({
    unmapped: [
      {
        what: name,
        todo: 'it is not evaluated: build an image of it (`dockerTools.buildImage`, `nix bundle`) and import that',
      },
    ],
  }));
  return all;
}

/** `nodejs 22.1.0 20.0.0`: the first version counts. */
function toolVersions(text: string, from: string): ToolWish[] {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
    .flatMap(([tool = '', version]) =>
      tool === '' || version === undefined ? [] : [wish(tool, version, from)],
    );
}

// Of TOML no more than the lines of [tools]: `node = "22"`, `go = ["1.24", "1.23"]`, `python = { version = "3.12" }`.
function miseTools(text: string, from: string): ToolWish[] {
  const section = /^\[tools\][^\S\n]*\n([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(text)?.[1] ?? '';
  return [...section.matchAll(/^[^\S\n]*["']?([\w:./@-]+)["']?[^\S\n]*=([^\n]*)$/gm)].flatMap(
    ([, tool, value]) => {
      const version =
        /version[^\S\n]*=[^\S\n]*["']([^"']+)["']/.exec(value!)?.[1] ?? /["']([^"']+)["']/.exec(value!)?.[1];
      return version === undefined ? [] : [wish(tool!.replace(/^core:/, ''), version, from)];
    },
  );
}

function wish(tool: string, version: string, from: string): ToolWish {
  return { tool: SAME[tool] ?? tool, version, from };
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new AutocodeError('ERR_INVALID_INPUT', `${file} cannot be read: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

function parsed(name: string, read: () => Partial<Wishes>): Partial<Wishes> {
  try {
    return read();
  } catch (cause) {
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      `${name} is no JSON, comments aside: ${(cause as Error).message}.`,
      {
        remedy: 'Mend it; an editor shows the place.',
        cause,
      },
    );
  }
}
