// The schema as a flat list of keys, each with the environment variable that sets it; and text turned into a key's value.
// Used by load.ts, show.ts and reference.ts.
import { parse } from 'yaml';
import { z } from 'zod';
import { Config } from './schema.ts';

export interface ConfigKey {
  path: string; // as `api.rateLimit.admin`
  variable: string; // as AUTOCODE_API_RATE_LIMIT_ADMIN
  schema: z.core.$ZodType; // without default and optional
  description: string;
  meta: z.core.GlobalMeta;
  defaultValue: unknown;
}

let known: ConfigKey[] | undefined;

/** All keys that can be set one by one; a list (roles, engines) is one key. */
export function configKeys(): ConfigKey[] {
  return (known ??= keysBelow(Config, []));
}

function keysBelow(schema: z.core.$ZodType, path: string[], inherited: Partial<ConfigKey> = {}): ConfigKey[] {
  const { inner, description, meta, defaultValue } = unwrap(schema);
  const own = {
    description: description ?? inherited.description ?? '',
    meta,
    defaultValue: defaultValue ?? inherited.defaultValue,
  };
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape as Record<string, z.core.$ZodType>).flatMap(([name, child]) =>
      keysBelow(child, [...path, name], {
        description: own.description,
        defaultValue: (own.defaultValue as Record<string, unknown> | undefined)?.[name],
      }),
    );
  }
  return [{ path: path.join('.'), variable: variableName(path), schema: inner, ...own }];
}

/** Takes default, prefault and optional off a schema. */
export function unwrap(schema: z.core.$ZodType): Pick<ConfigKey, 'meta' | 'defaultValue'> & {
  inner: z.core.$ZodType;
  description: string | undefined;
} {
  let inner = schema;
  let defaultValue: unknown;
  let meta: z.core.GlobalMeta = {};
  for (;;) {
    meta = { ...z.globalRegistry.get(inner), ...meta };
    if (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
      defaultValue ??= inner.def.defaultValue;
      inner = inner.def.innerType;
    } else if (inner instanceof z.ZodOptional) {
      inner = inner.def.innerType;
    } else {
      return { inner, description: meta.description, meta, defaultValue };
    }
  }
}

function variableName(path: string[]): string {
  const words = path.flatMap((part) => part.replaceAll(/([A-Z])/g, '_$1').toUpperCase());
  return `AUTOCODE_${words.join('_')}`;
}

/** What a variable's or a flag's text means for a key: text stays text, the rest is read as YAML, a list also as `a,b`. */
export function valueFromText(key: ConfigKey, text: string): unknown {
  const { schema } = key;
  if (schema instanceof z.ZodString || schema instanceof z.ZodURL || schema instanceof z.ZodEnum) return text;
  if (schema instanceof z.ZodArray && !text.trimStart().startsWith('['))
    return text.split(',').map((part) => part.trim());
  try {
    return parse(text) as unknown;
  } catch {
    return text; // the schema will say what it expected
  }
}

/** The value at a path of nested objects. */
export function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], value);
}
