// What a devcontainer.json asks for, as far as it maps: tools by their features, variables; the rest is named with what to do about it.
// Pure. Used by read.ts.
import type { Wishes } from './wishes.ts';

/** Features that stand for one tool; their option `version` is its version. */
const FEATURES = ['node', 'python', 'go', 'rust', 'java', 'ruby', 'php'];
const COMMANDS = ['onCreateCommand', 'updateContentCommand', 'postCreateCommand', 'postStartCommand'];
/** About an editor, a screen or a network that no run has. */
const WITHOUT_MEANING = [
  'name',
  '$schema',
  'customizations',
  'forwardPorts',
  'portsAttributes',
  'otherPortsAttributes',
  'remoteUser',
  'containerUser',
  'workspaceFolder',
  'workspaceMount',
  'shutdownAction',
  'overrideCommand',
  'updateRemoteUserUID',
  'waitFor',
  'userEnvProbe',
  'init',
  'hostRequirements',
  'postAttachCommand',
  'initializeCommand',
  'overrideFeatureInstallOrder',
];

/** Reads its text; a SyntaxError tells what is wrong with it. */
export function devcontainerWishes(text: string, from: string): Wishes {
  const document: unknown = JSON.parse(plainJson(text));
  const wishes: Wishes = { tools: [], variables: {}, unmapped: [] };
  for (const [key, value] of Object.entries(record(document))) {
    if (key === 'image')
      wishes.unmapped.push({ what: `${from}: image ${words(value)}`, todo: imageWords(words(value)) });
    else if (key === 'features') addFeatures(wishes, value, from);
    else if (key === 'containerEnv' || key === 'remoteEnv') addVariables(wishes, value, `${from}: ${key}`);
    else if (COMMANDS.includes(key))
      wishes.unmapped.push({
        what: `${from}: ${key} \`${commandWords(value)}\``,
        todo: 'put what it installs into the environment, and what only prepares the work tree into a verify command',
      });
    else if (!WITHOUT_MEANING.includes(key))
      wishes.unmapped.push({ what: `${from}: ${key}`, todo: todoOf(key) });
  }
  return wishes;
}

function addFeatures(wishes: Wishes, features: unknown, from: string): void {
  for (const [feature, options] of Object.entries(record(features))) {
    const name = feature.split('/').at(-1)!.split(/[:@]/)[0]!;
    const version = typeof options === 'string' ? options : words(record(options).version ?? 'latest');
    if (FEATURES.includes(name)) wishes.tools.push({ tool: name, version, from });
    else
      wishes.unmapped.push({
        what: `${from}: feature ${feature}`,
        todo: 'install what it brings into the image before `docker save`',
      });
  }
}

function addVariables(wishes: Wishes, variables: unknown, from: string): void {
  for (const [name, value] of Object.entries(record(variables))) {
    if (typeof value === 'string' && !value.includes('${')) wishes.variables[name] = value;
    else
      wishes.unmapped.push({
        what: `${from}: ${name}`,
        todo: 'its value depends on the machine: name it by --variable',
      });
  }
}

function todoOf(key: string): string {
  if (key === 'build' || key === 'dockerFile' || key === 'dockerComposeFile')
    return 'build it where Docker is, then `docker save IMAGE -o image.tar` and `autocode environment import NAME image.tar`';
  if (['runArgs', 'capAdd', 'securityOpt', 'privileged', 'mounts'].includes(key))
    return 'nothing: a run has no more rights and no more of the host than every other';
  return 'nothing here knows it';
}

function imageWords(image: string): string {
  return `where Docker is: \`docker pull ${image} && docker save ${image} -o image.tar\`, then \`autocode environment import NAME image.tar\``;
}

/** JSON as editors write it: comments and a comma too many are taken out, those in strings left. */
export function plainJson(text: string): string {
  return text
    .replaceAll(
      /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
      (_, string: string | undefined) => string ?? ' ',
    )
    .replaceAll(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_, string: string | undefined) => string ?? '');
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function words(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function commandWords(value: unknown): string {
  return Array.isArray(value) ? value.map(words).join(' ') : words(value);
}
