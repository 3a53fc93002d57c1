// docs/models.schema.json, for editors: `node orchestrator/models/local-catalogue-schema.ts > docs/models.schema.json`.
// local-catalogue-schema.test.ts fails when it is not current.
import { z } from 'zod';
import { LocalCatalogue } from './local-catalogue.ts';

/** The JSON schema of config/models.yaml. */
export function localCatalogueSchema(): string {
  const schema = z.toJSONSchema(LocalCatalogue, { io: 'input', reused: 'inline', cycles: 'throw' });
  return `${JSON.stringify({ title: 'Models of the appliance', ...schema }, null, 2)}\n`;
}

if (import.meta.main) process.stdout.write(localCatalogueSchema());
