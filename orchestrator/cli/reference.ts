// docs/cli.md, made from the definitions of the verbs: `node orchestrator/cli/reference.ts > docs/cli.md`.
// reference.test.ts fails when the page is not current.
import { isNoun, type Noun, type Verb } from './command.ts';
import { everyVerb, nameOf, program, VERBS } from './program.ts';

const WIDTH = 110;

const HEAD = `# Command line

\`./autocode\` sets up what the checkout needs, once, and then runs the command. \`autocode completion >> ~/.bashrc\` adds completion.

**Which daemon.** The one of this checkout's data directory, unless \`--url\` and \`--token-file\`, or \`AUTOCODE_URL\` and \`AUTOCODE_TOKEN\`, name another.

**Output.** Tables are cut to the terminal's width and coloured there; piped, they are whole and plain (\`NO_COLOR\` is minded). With \`--json\` stdout is
one JSON document: an object for what shows one thing, an array for lists; what goes on (\`watch\`, \`events --follow\`, \`--watch\`) prints one document a line.

**Errors** are text on stderr: what happened, its code, what to do. With \`--json\` the same is on stdout as \`{"error": {"code", "message", "remedy", "details"}}\`.

| exit code | meaning |
| --- | --- |
| 0 | done; for \`watch\` and \`demo\`: the task was completed |
| 1 | failed: the task, a check, or something unexpected |
| 2 | wrong use or wrong input |
| 3 | not found |
| 4 | not allowed |
| 5 | in conflict with the present state |
| 6 | not available: daemon, disk, database, model server |
| 130 | ended by Ctrl-C |

This page is made by \`node orchestrator/cli/reference.ts > docs/cli.md\`.
`;

/** The whole page. */
export async function cliReference(): Promise<string> {
  const everywhere = section(await helpOf([]), 'Everywhere:');
  const parts = [HEAD, '## Everywhere\n', fenced(everywhere)];
  for (const item of VERBS)
    parts.push(...(isNoun(item) ? await nounPart(item) : await verbPart('##', [], item)));
  return `${parts.join('\n').trimEnd()}\n`;
}

async function nounPart(item: Noun): Promise<string[]> {
  const parts = [`## ${item.noun}\n`, `${item.describe}.\n`];
  for (const { above, verb } of everyVerb([item])) parts.push(...(await verbPart('###', above, verb)));
  return parts;
}

async function verbPart(level: string, before: string[], verb: Verb): Promise<string[]> {
  const words = [...before, nameOf(verb)];
  return [`${level} ${words.join(' ')}\n`, fenced(await helpOf(words))];
}

async function helpOf(words: string[]): Promise<string> {
  return await program(words, WIDTH).getHelp();
}

/** The lines below a heading, up to the next empty one. */
function section(help: string, heading: string): string {
  const start = help.indexOf(heading);
  if (start < 0) return '';
  const from = start + heading.length + 1;
  const end = help.indexOf('\n\n', from);
  return help.slice(from, end < 0 ? undefined : end);
}

function fenced(text: string): string {
  return `\`\`\`text\n${text
    .trim()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n\`\`\`\n`;
}

if (import.meta.main) process.stdout.write(await cliReference());
