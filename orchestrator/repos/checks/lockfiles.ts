// Rule `lockfiles`: a lock that changes while its manifest does not pulls in code that nobody asked for.
import type { Rule } from './rule.ts';

// The last part of a path → the manifests beside it, of which one changes with it.
const MANIFESTS: Record<string, string[]> = {
  'package-lock.json': ['package.json'],
  'npm-shrinkwrap.json': ['package.json'],
  'yarn.lock': ['package.json'],
  'pnpm-lock.yaml': ['package.json', 'pnpm-workspace.yaml'],
  'bun.lock': ['package.json'],
  'bun.lockb': ['package.json'],
  'deno.lock': ['deno.json', 'deno.jsonc', 'package.json'],
  'cargo.lock': ['cargo.toml'],
  'go.sum': ['go.mod'],
  'poetry.lock': ['pyproject.toml'],
  'uv.lock': ['pyproject.toml'],
  'pdm.lock': ['pyproject.toml'],
  'pipfile.lock': ['pipfile'],
  'gemfile.lock': ['gemfile'],
  'composer.lock': ['composer.json'],
  'mix.lock': ['mix.exs'],
  'pubspec.lock': ['pubspec.yaml'],
  'podfile.lock': ['podfile'],
  'packages.lock.json': [],
  'gradle.lockfile': ['build.gradle', 'build.gradle.kts'],
  'flake.lock': ['flake.nix'],
};
// A lock may serve manifests below it (workspaces), and these have their own names.
const ANY_BELOW = new Set(['package.json', 'cargo.toml', 'pyproject.toml', 'pubspec.yaml']);

export const lockfiles: Rule = {
  name: 'lockfiles',
  find({ files }) {
    const changed = files.map(({ path }) => path.toLowerCase());
    return files.flatMap(({ path, status }) => {
      const { folder, name } = split(path.toLowerCase());
      const manifests = Object.hasOwn(MANIFESTS, name) ? MANIFESTS[name]! : undefined;
      if (manifests === undefined || changed.some((other) => belongsTo(other, folder, manifests, name)))
        return [];
      const which = manifests.length === 0 ? 'its project file' : manifests.join(' or ');
      return [
        {
          path,
          reason: `it was ${status}, but ${which} was not`,
          remedy: 'restore it as it was, or change the manifest that asks for it',
        },
      ];
    });
  },
};

function belongsTo(path: string, lockFolder: string, manifests: string[], lock: string): boolean {
  const { folder, name } = split(path);
  if (lock === 'packages.lock.json') return folder === lockFolder && /\.(cs|fs|vb)proj$/.test(name);
  if (!manifests.includes(name)) return false;
  return folder === lockFolder || (ANY_BELOW.has(name) && folder.startsWith(lockFolder));
}

// The folder with its slash; empty at the top.
function split(path: string): { folder: string; name: string } {
  const end = path.lastIndexOf('/') + 1;
  return { folder: path.slice(0, end), name: path.slice(end) };
}
