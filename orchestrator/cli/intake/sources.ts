// `autocode intake source …`.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { IntakeSource, SourceTest } from '../../../protocol/intake.ts';
import { connect } from '../client.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { oneLine, relativeTime } from '../format.ts';
import { print, printJson, table } from '../output.ts';
import { show } from '../redraw.ts';
import { readWhole } from '../secret-value.ts';

interface GivenArgs extends GlobalArgs {
  name: string;
  project: string | undefined;
  settings: string | undefined;
  secretFile: string | undefined;
  actor: string[] | undefined;
  perHour: number | undefined;
  perActor: number | undefined;
  reopenings: number | undefined;
  quarantine: boolean | undefined;
}
type NameArgs = GlobalArgs & { name: string };

const path = (name: string, verb = '') => `/intake/sources/${encodeURIComponent(name)}${verb}`;

/** Adds a source, and says where deliveries are to be sent. */
export async function addSource(args: GivenArgs & { kind: string }): Promise<void> {
  const { name, kind } = args;
  const input = { name, kind, ...givenIn(args) };
  const source = await connect(args).send('POST', '/intake/sources', IntakeSource, input);
  if (args.json) return printJson(source);
  print(`Source ${source.name} (${source.kind}) is added.`);
  if (source.hook !== null)
    print(`Deliveries go to ${source.hook} of the API; their secret is ${source.secretName}.`);
}

/** Changes what is named of a source, as it is now. */
export async function setSource(args: GivenArgs): Promise<void> {
  const client = connect(args);
  const { version, trust: before } = await client.get(path(args.name), IntakeSource);
  const { trust, ...given } = givenIn(args);
  const patch = { version, ...given, trust: { ...before, ...trust } };
  tell(args, await client.send('PATCH', path(args.name), IntakeSource, patch), 'is changed');
}

function givenIn({
  project,
  settings,
  secretFile,
  actor,
  perHour,
  perActor,
  reopenings,
  quarantine,
}: GivenArgs) {
  const trust = { actors: actor, perHour, perActorPerHour: perActor, reopenings, quarantine };
  return {
    project,
    settings: settings === undefined ? undefined : readSettings(settings),
    secret: secretFile === undefined ? undefined : readWhole(secretFile),
    trust: Object.fromEntries(Object.entries(trust).filter(([, value]) => value !== undefined)),
  };
}

/** Lists sources. */
export async function listSources(args: GlobalArgs): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get('/intake/sources', z.array(IntakeSource)), draw);
}

/** Looks whether a source is set up well; exit code 1 where it is not. */
export async function testSource(args: NameArgs): Promise<void> {
  const test = await connect(args).send('POST', path(args.name, '/test'), SourceTest);
  if (args.json) printJson(test);
  else
    for (const { name, ok, detail } of test.checks) print(`${ok ? 'ok     ' : 'not ok '}${name}: ${detail}`);
  if (!test.ok) throw new Exit(1);
}

/** Lets what comes wait. */
export async function pauseSource(args: NameArgs): Promise<void> {
  tell(
    args,
    await connect(args).send('POST', path(args.name, '/pause'), IntakeSource),
    'is paused; what comes waits',
  );
}

/** Goes on with what came meanwhile. */
export async function resumeSource(args: NameArgs): Promise<void> {
  tell(args, await connect(args).send('POST', path(args.name, '/resume'), IntakeSource), 'goes on');
}

/** Removes a source. */
export async function removeSource(args: NameArgs): Promise<void> {
  tell(args, await connect(args).send('DELETE', path(args.name), IntakeSource), 'is removed');
}

function tell({ json }: GlobalArgs, source: IntakeSource, what: string): void {
  if (json) return printJson(source);
  print(`Source ${source.name} ${what}.`);
}

function readSettings(file: string): unknown {
  try {
    return parse(readFileSync(file === '-' ? 0 : file, 'utf8')) as unknown;
  } catch (cause) {
    throw new AutocodeError('ERR_INVALID_INPUT', `${file} cannot be read: ${(cause as Error).message}`, {
      remedy: 'Give the path of a YAML or JSON file, or - for stdin.',
      cause,
    });
  }
}

function draw(sources: IntakeSource[]): string {
  if (sources.length === 0) return 'No sources. Add one with `autocode intake source add` (docs/intake.md).';
  return table(sources, [
    { title: 'NAME', value: ({ name }) => name },
    { title: 'KIND', value: ({ kind }) => kind },
    { title: 'PROJECT', value: ({ project }) => project ?? '' },
    {
      title: 'STATE',
      value: ({ paused, trouble }) => (paused ? 'paused' : trouble === null ? 'ok' : 'trouble'),
    },
    { title: 'REOPENINGS', value: ({ trust }) => String(trust.reopenings), align: 'right' },
    { title: 'WAITING', value: ({ waiting }) => String(waiting), align: 'right' },
    { title: 'ASKED', value: ({ lookedAt }) => relativeTime(lookedAt) },
    { title: 'TROUBLE', value: ({ trouble }) => oneLine(trouble ?? '') },
  ]);
}
