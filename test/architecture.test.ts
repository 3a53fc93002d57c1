// The rules of the house that a program can check: which way imports run, no cycles, file sizes, who reads the
// environment, comments. The map they follow is the one in ARCHITECTURE.md.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const root = path.resolve(import.meta.dirname, '..');
const product = ['protocol', 'telemetry', 'orchestrator', 'worker-agent', 'web'];
const longest = 400;

/** What a part may import, besides itself; a part is the longest of these paths that a file lies under. */
const domains = [
  'access',
  'backup',
  'budget',
  'egress',
  'environments',
  'events',
  'gateway',
  'incidents',
  'intake',
  'memory',
  'models',
  'nomad',
  'notifications',
  'people',
  'placement',
  'prompts',
  'purchases',
  'redaction',
  'repos',
  'retention',
  'secrets',
  'simulation',
  'tasks',
  'tls',
  'workers',
].map((name) => `orchestrator/${name}`);
const base = ['protocol', 'telemetry', 'orchestrator/config', 'orchestrator/db'];
const mayImport: Record<string, string[]> = {
  protocol: [],
  telemetry: ['protocol'],
  'orchestrator/config': ['protocol', 'telemetry'],
  'orchestrator/db': ['protocol', 'telemetry', 'orchestrator/config'],
  ...Object.fromEntries(domains.map((domain) => [domain, [...base, ...domains]])),
  'orchestrator/api': [...base, ...domains],
  'orchestrator/daemon': [...base, ...domains, 'orchestrator/api'],
  'orchestrator/cli': [...base, ...domains, 'orchestrator/daemon', 'orchestrator'],
  orchestrator: [...base, ...domains, 'orchestrator/api', 'orchestrator/daemon'],
  'worker-agent': ['protocol', 'telemetry'],
  web: ['protocol'],
};

type Source = { file: string; text: string; imports: { name: string; typeOnly: boolean; lazy: boolean }[] };

const importing = /^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;

function read(file: string): Source {
  const text = fs.readFileSync(path.join(root, file), 'utf8');
  const imports = [...text.matchAll(importing)].map(([, type, name, lazy]) => ({
    name: resolve(file, (name ?? lazy)!),
    typeOnly: type !== undefined,
    lazy: name === undefined,
  }));
  return { file, text, imports };
}

/** A relative import as a path from the root; a package stays as it is. */
function resolve(file: string, name: string): string {
  return name.startsWith('.') ? path.posix.join(path.posix.dirname(file), name) : name;
}

const all = [...product, 'bench', 'scripts', 'test']
  .flatMap((folder) => fs.globSync(`${folder}/**/*.{ts,tsx}`, { cwd: root, exclude: ['**/node_modules/**'] }))
  .filter((file) => !file.includes('/fixtures/'))
  .map(read);
const isTest = (file: string) => /\.test\.ts$|\/testing(\/|\.ts$)/.test(file);
const sources = all.filter(({ file }) => product.includes(file.split('/')[0]!) && !isTest(file));

const partOf = (file: string) =>
  Object.keys(mayImport)
    .filter((part) => file.startsWith(`${part}/`))
    .sort((a, b) => b.length - a.length)[0];

test('every part of the product is on the map above', () => {
  const strangers = sources.filter(({ file }) => {
    const [top, second, ...rest] = file.split('/');
    return (
      partOf(file) === undefined ||
      (top === 'orchestrator' && rest.length > 0 && !mayImport[`${top}/${second}`])
    );
  });
  assert.deepEqual(
    strangers.map(({ file }) => file),
    [],
  );
});

test('imports run one way: cli and api, then domains, then db and protocol', () => {
  const against = sources.flatMap(({ file, imports }) => {
    const part = partOf(file)!;
    return imports
      .filter(
        ({ name }) =>
          partOf(name) !== undefined && partOf(name) !== part && !mayImport[part]!.includes(partOf(name)!),
      )
      .map(({ name }) => `${file} imports ${name}`);
  });
  assert.deepEqual(against, []);
});

test('the protocol needs nothing but zod and Node.js', () => {
  const others = sources
    .filter(({ file }) => partOf(file) === 'protocol')
    .flatMap(({ file, imports }) => imports.map(({ name }) => `${file} imports ${name}`))
    .filter((line) => !/ imports (zod|node:.*|protocol\/.*)$/.test(line));
  assert.deepEqual(others, []);
});

test('the parts of the orchestrator form no cycle at run time', () => {
  const edges = new Map<string, Set<string>>();
  for (const { file, imports } of sources) {
    const from = partOf(file)!;
    for (const { name, typeOnly } of imports) {
      const to = partOf(name);
      if (to === undefined || to === from || typeOnly) continue;
      edges.set(from, (edges.get(from) ?? new Set()).add(to));
    }
  }
  assert.deepEqual(cycle(edges), undefined);
});

test('a start of the daemon loads these packages and no other: each costs every start time and memory', () => {
  const byFile = new Map(sources.map((source) => [source.file, source]));
  const roots = ['main.ts', 'api/server.ts', 'daemon/own-gateway.ts', 'repos/submit.ts'];
  const reached = new Set(roots.map((file) => `orchestrator/${file}`));
  // What is added while it is gone through is gone through too.
  for (const each of reached) {
    for (const { name, typeOnly, lazy } of byFile.get(each)?.imports ?? []) {
      if (!typeOnly && !lazy) reached.add(name);
    }
  }
  const packages = [...reached].filter((name) => !name.startsWith('node:') && !/\.(ts|json)$/.test(name));
  assert.deepEqual(packages.sort(), [
    '@fastify/cookie',
    '@fastify/rate-limit',
    '@fastify/static',
    '@fastify/swagger',
    '@secretlint/secretlint-rule-preset-recommend',
    'croner',
    'fastify',
    'fastify-type-provider-zod',
    'pg',
    'winston',
    'winston-daily-rotate-file',
    'yaml',
    'zod',
  ]);
});

/** The first cycle found, as the list of its nodes. */
function cycle(edges: Map<string, Set<string>>): string[] | undefined {
  const finished = new Set<string>();
  const visit = (node: string, above: string[]): string[] | undefined => {
    if (above.includes(node)) return [...above.slice(above.indexOf(node)), node];
    if (finished.has(node)) return undefined;
    for (const next of edges.get(node) ?? []) {
      const found = visit(next, [...above, node]);
      if (found) return found;
    }
    finished.add(node);
    return undefined;
  };
  for (const node of edges.keys()) {
    const found = visit(node, []);
    if (found) return found;
  }
  return undefined;
}

test(`no file is longer than ${longest} lines, most are short`, () => {
  const lines = (text: string) => text.trimEnd().split('\n').length;
  const long = all
    .filter(({ text }) => lines(text) > longest)
    .map(({ file, text }) => `${file}: ${lines(text)}`);
  assert.deepEqual(long, []);
  const sizes = sources.map(({ text }) => lines(text)).sort((a, b) => a - b);
  const at = (share: number) => sizes[Math.floor((sizes.length - 1) * share)]!;
  assert.ok(at(0.9) <= 300, `the 90th percentile of the file lengths is ${at(0.9)}`);
});

test('the environment is read in the configuration alone', () => {
  const readers = sources
    .filter(
      ({ file }) => !/^(orchestrator\/config\/|worker-agent\/config\.ts$|web\/vite\.config\.ts$)/.test(file),
    )
    .filter(({ text }) => /\bprocess\.env\b/.test(text));
  assert.deepEqual(
    readers.map(({ file }) => file),
    [],
  );
});

test('every source file opens with a comment that says what is in it', () => {
  const silent = all.filter(({ file, text }) => !isTest(file) && !/^(#!.*\n)?\s*\/[/*]/.test(text));
  assert.deepEqual(
    silent.map(({ file }) => file),
    [],
  );
});

test('nothing is left for later', () => {
  const marks = new RegExp(
    ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].map((mark) => `\\b${mark}\\b`).join('|'),
  );
  const marked = all.filter(({ text }) => marks.test(text));
  assert.deepEqual(
    marked.map(({ file }) => file),
    [],
  );
});

test('no folder is a bucket', () => {
  const buckets = all.filter(({ file }) =>
    /\/(utils?|helpers?|services?|types|common|misc)(\/|\.tsx?$)/.test(file),
  );
  assert.deepEqual(
    buckets.map(({ file }) => file),
    [],
  );
});
