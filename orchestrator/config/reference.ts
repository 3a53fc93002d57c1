// The configuration reference as Markdown, from the schema. Printed by `config reference`, kept as docs/configuration.md.
import { z } from 'zod';
import { configKeys, unwrap } from './keys.ts';
import { Engine } from './model-settings.ts';
import { ScheduledReport } from './budget-settings.ts';
import { ForgeSettings } from './schema.ts';

const HEAD = `# Configuration

One YAML file, the environment and flags, the later ones first: \`--set api.port=8080\`, then \`AUTOCODE_API_PORT=8080\`, then the file.
The file is the one that \`--config\` names, else \`config/autocode.yaml\` in the data directory, else \`/etc/autocode/autocode.yaml\`.
\`autocode config check\` tells every mistake with its place; \`autocode config show\` tells every value and where it is from.
\`autocode config set KEY VALUE\` and \`config unset KEY\` change the file, and so does the page *Settings*: comments stay, the whole is checked before it is
written, and it holds from the next start of the daemon, which the page can ask for. A variable or flag goes before what is written there.

This page is made by \`autocode config reference > docs/configuration.md\`.
`;

/** The whole page. */
export function configReference(): string {
  const rows = configKeys().map((key) =>
    row([
      code(key.path),
      typeName(key.schema),
      shownDefault(key.meta.shownDefault, key.defaultValue),
      code(key.variable),
      key.description,
    ]),
  );
  const table = [
    row(['Key', 'Value', 'Default', 'Variable', 'Meaning']),
    row(Array<string>(5).fill('---')),
    ...rows,
  ];
  return `${HEAD}\n${table.join('\n')}\n\n## Engines\n\n\`models.engines\` is a list; each entry is one of these.\n${Engine.options.map(engineTable).join('')}\n## Forges\n\n\`forges\` is a list, see [forges](forges.md); each entry has these.\n\n${fieldTable(ForgeSettings)}\n## Reports\n\n\`budget.reports\` is a list, see [money](money.md); each entry has these.\n\n${fieldTable(ScheduledReport)}`;
}

function engineTable(engine: z.ZodObject): string {
  const kind = (engine.shape.kind as z.ZodLiteral<string>).value;
  return `\n### \`kind: ${kind}\`\n\n${fieldTable(engine)}`;
}

function fieldTable(object: z.ZodObject): string {
  const head = [row(['Field', 'Value', 'Default', 'Meaning']), row(Array<string>(4).fill('---'))];
  return `${[...head, ...fieldRows(object, '')].join('\n')}\n`;
}

function fieldRows(object: z.ZodObject, prefix: string): string[] {
  return Object.entries(object.shape).flatMap(([name, field]) => {
    const { inner, description, defaultValue } = unwrap(field);
    const optional = field instanceof z.ZodOptional ? '–' : 'required';
    const own = row([
      code(prefix + name),
      typeName(inner),
      defaultValue === undefined ? optional : shownDefault(undefined, defaultValue),
      description ?? '',
    ]);
    const element = inner instanceof z.ZodArray ? inner.def.element : inner;
    return element instanceof z.ZodObject
      ? [own, ...fieldRows(element, `${prefix}${name}${inner === element ? '.' : '[].'}`)]
      : [own];
  });
}

function typeName(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodEnum) return schema.options.map((option) => code(String(option))).join(', ');
  if (schema instanceof z.ZodLiteral)
    return [...schema.values].map((value) => code(String(value))).join(', ');
  if (schema instanceof z.ZodUnion) return schema.options.map((option) => typeName(option)).join(' or ');
  if (schema instanceof z.ZodArray) {
    const { inner } = unwrap(schema.def.element);
    return inner instanceof z.ZodEnum ? `list of ${typeName(inner)}` : 'list';
  }
  if (schema instanceof z.ZodNumber) return schema.isInt ? 'whole number' : 'number';
  if (schema instanceof z.ZodBoolean) return '`true`, `false`';
  return schema instanceof z.ZodObject ? 'map' : 'text';
}

function shownDefault(text: string | undefined, value: unknown): string {
  if (text !== undefined) return text;
  if (value === undefined) return '–';
  return code(
    Array.isArray(value) && value.every((item) => typeof item === 'string')
      ? `[${value.join(', ')}]`
      : JSON.stringify(value).replaceAll('"', ''),
  );
}

function row(cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}
