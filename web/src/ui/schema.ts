// JSON schemas as far as forms are made of them, and values that go with them. Used by schema-fields.tsx and by whoever shows one.

/** What is looked at of a schema; `format` may be one of the page's own. */
export interface JsonSchema {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  format?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  anyOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
}

export type Values = Record<string, unknown>;

/** What the API has against what stands at a path. */
export interface Mistake {
  path: string;
  message: string;
}

/** What is wrong at a path. */
export function mistakeIn(mistakes: Mistake[], path: string, also?: 'below too'): string | undefined {
  return mistakes.find(
    (each) => each.path === path || (also !== undefined && each.path.startsWith(`${path}.`)),
  )?.message;
}

/** How a field is made, by what its value may be. */
export type Shape = 'choice' | 'switch' | 'number' | 'text' | 'lines' | 'groups' | 'group' | 'pairs';

/** The schema without `null`, and whether that is a value too. */
export function present(schema: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  const rest = schema.anyOf?.filter(({ type }) => type !== 'null');
  if (rest?.length !== 1 || rest.length === schema.anyOf?.length) return { schema, nullable: false };
  const { anyOf: _, ...outer } = schema;
  return { schema: { ...rest[0], ...outer }, nullable: true };
}

/** How a field of a schema is made. */
export function shapeOf(schema: JsonSchema): Shape {
  if (schema.enum !== undefined) return 'choice';
  if (schema.type === 'boolean') return 'switch';
  if (schema.type === 'integer' || schema.type === 'number') return 'number';
  if (schema.type === 'array') return schema.items?.type === 'object' ? 'groups' : 'lines';
  if (schema.type === 'object') return schema.properties === undefined ? 'pairs' : 'group';
  return 'text';
}

/** What a value begins as: what its schema says of each part. */
export function defaultsOf({ properties = {} }: JsonSchema): Values {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, part]) =>
      part.default === undefined ? [] : [[name, part.default]],
    ),
  );
}

/** A name as people read it: `pollSeconds` as `Poll seconds`. */
export function labelOf(name: string, { title }: JsonSchema): string {
  const words = name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return title ?? `${words[0]?.toUpperCase() ?? ''}${words.slice(1)}`;
}

/** The lines of a list, as they are written into a field; where it may hold more than text, `"12"` is one and `12` is none. */
export function linesOf(list: unknown, schema: JsonSchema): string {
  if (!Array.isArray(list)) return '';
  const written = (each: unknown) =>
    typeof each === 'string' && (isOfText(schema) || !isScalar(each)) ? each : JSON.stringify(each);
  return list.map(written).join('\n');
}

/** The list that lines say. */
export function listOf(lines: string, schema: JsonSchema): unknown[] {
  const texts = lines.split('\n').flatMap((line) => line.trim() || []);
  return texts.map((text) => (!isOfText(schema) && isScalar(text) ? (JSON.parse(text) as unknown) : text));
}

const isOfText = ({ items }: JsonSchema) => items?.type === 'string';
const isScalar = (text: string) => /^(?:true|false|-?\d+(?:\.\d+)?|"(?:[^"\\]|\\.)*")$/.test(text);
