import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { wishesOf } from './read.ts';
import { lacks } from './wishes.ts';

function wishesIn(files: Record<string, string>): ReturnType<typeof wishesOf> {
  const checkout = mkdtempSync(path.join(tmpdir(), 'autocode-suggest-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(checkout, name)), { recursive: true });
      writeFileSync(path.join(checkout, name), text);
    }
    return wishesOf(checkout);
  } finally {
    rmSync(checkout, { recursive: true });
  }
}

const DEVCONTAINER = `// as editors write it
{
  "name": "Shop // not a comment",
  "image": "mcr.microsoft.com/devcontainers/base:bookworm", /* a
     comment */
  "features": {
    "ghcr.io/devcontainers/features/node:1": { "version": "22" },
    "ghcr.io/devcontainers/features/python:1": "3.12",
    "ghcr.io/devcontainers/features/go:1": {},
    "ghcr.io/acme/features/rocket:2": {},
  },
  "containerEnv": { "CI": "1", "WHERE": "\${localEnv:HOME}" },
  "forwardPorts": [3000],
  "postCreateCommand": ["npm", "ci"],
  "runArgs": ["--privileged"],
}
`;

test('a devcontainer.json is read with its comments: features are tools, the rest is named with what to do', () => {
  const { files, tools, variables, unmapped } = wishesIn({ '.devcontainer/devcontainer.json': DEVCONTAINER });
  assert.deepEqual(files, ['.devcontainer/devcontainer.json']);
  assert.deepEqual(
    tools.map(({ tool, version }) => [tool, version]),
    [
      ['node', '22'],
      ['python', '3.12'],
      ['go', 'latest'],
    ],
  );
  assert.deepEqual(variables, { CI: '1' });
  const words = unmapped.map(({ what, todo }) => `${what}: ${todo}`).join('\n');
  for (const part of [
    /image .*docker save/,
    /rocket.*image/,
    /WHERE/,
    /`npm ci`.*into the environment/,
    /runArgs: nothing/,
  ])
    assert.match(words, part);
  assert.doesNotMatch(words, /forwardPorts|json: name/);
});

test('mise.toml and .tool-versions name tools, Nix files are only named', () => {
  const { tools, unmapped } = wishesIn({
    'mise.toml':
      '[env]\nnode = "9"\n[tools]\nnode = "22.1" # why\ngo = ["1.24", "1.23"]\npython = { version = "3.12", virtualenv = ".venv" }\n[tasks]\nx = "y"\n',
    '.tool-versions': '# comment\nnodejs 20.1.0 18.0.0\njava temurin-21\n',
    'flake.nix': '{ }',
  });
  assert.deepEqual(
    tools.map(({ tool, version, from }) => `${tool} ${version} ${from}`),
    [
      'node 22.1 mise.toml',
      'go 1.24 mise.toml',
      'python 3.12 mise.toml',
      'node 20.1.0 .tool-versions',
      'java temurin-21 .tool-versions',
    ],
  );
  assert.match(unmapped[0]?.todo ?? '', /not evaluated/);
});

test('a file that is no JSON is told by its name', () => {
  assert.throws(() => wishesIn({ '.devcontainer.json': '{ "image": ' }), {
    code: 'ERR_INVALID_INPUT',
    message: /\.devcontainer\.json/,
  });
});

test('an environment has a tool when its version begins with the one that is wished for', () => {
  const there = new Map([
    ['node', 'v22.12.0'],
    ['java', 'openjdk version "21.0.2" 2024-01-16'],
    ['go', 'go version go1.24.1 linux/amd64'],
  ]);
  const cases: [string, string, boolean][] = [
    ['node', '22', true],
    ['node', 'v22.12', true],
    ['node', '2', false],
    ['node', '22.1', false],
    ['node', 'lts', true],
    ['java', '21', true],
    ['java', 'temurin-21', true],
    ['java', 'temurin-17', false],
    ['go', '1.24', true],
    ['python', 'latest', false],
  ];
  for (const [tool, version, has] of cases)
    assert.equal(lacks([{ tool, version, from: 'x' }], there).length === 0, has, `${tool} ${version}`);
});
