// A connection whose parameters go through a function before they are sent: the one door by which texts get into the database.
// Used by connect.ts.
import pg from 'pg';

/** The class of such connections. */
export function cleanClient(clean: (text: string) => string): typeof pg.Client {
  const cleaned = (value: unknown): unknown => {
    if (typeof value === 'string') return clean(value);
    if (Array.isArray(value)) return value.map(cleaned);
    return isPlain(value) ? clean(JSON.stringify(value)) : value;
  };
  const inConfig = (config: unknown) => {
    const values = isPlain(config) ? (config as pg.QueryConfig).values : undefined;
    return Array.isArray(values) ? { ...(config as pg.QueryConfig), values: values.map(cleaned) } : config;
  };
  // `query` has many forms: a text or a config first, then perhaps values and a callback.
  const query = pg.Client.prototype.query as (...input: unknown[]) => unknown;
  return class extends pg.Client {
    override query(...[config, values, ...rest]: unknown[]): never {
      const given = Array.isArray(values) ? values.map(cleaned) : values;
      return query.call(this, inConfig(config), given, ...rest) as never;
    }
  } as typeof pg.Client;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
