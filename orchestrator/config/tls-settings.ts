// Configuration of TLS for workers on other machines (`tls`). Part of schema.ts; read by main.ts and the verbs of `tls`.
import { z } from 'zod';

const PORT_WANTED = 'use a port from 1 to 65535, or auto';
const Port = z.union([z.literal('auto'), z.int().min(1, PORT_WANTED).max(65_535, PORT_WANTED)], {
  error: PORT_WANTED,
});
const file = () => z.string().min(1).optional().meta({ path: true });

export const TlsSettings = z
  .strictObject({
    host: z.string().min(1).default('0.0.0.0').describe('Address to listen on for workers.'),
    port: Port.default(7443).describe('Port of the API and of the mirror over TLS; `auto` takes a free one.'),
    gatewayPort: Port.default(7444).describe('Port of the model gateway over TLS.'),
    names: z
      .array(z.string().regex(/^[A-Za-z0-9.:-]+$/, 'use names of hosts and IP addresses'))
      .max(100)
      .default([])
      .describe(
        'Names and addresses that workers use for this machine, the first in invitations; its own name and addresses are added.',
      ),
    certFile: file().describe('Certificate of your own instead, with those that it is signed by; PEM.'),
    keyFile: file().describe('Its private key; PEM.'),
    caFile: file().describe('The authority above it, which workers trust; one certificate, PEM.'),
  })
  .refine(
    ({ certFile, keyFile, caFile }) =>
      [certFile, keyFile, caFile].every((each) => (each === undefined) === (certFile === undefined)),
    { error: 'certFile, keyFile and caFile go together' },
  );
export type TlsSettings = z.infer<typeof TlsSettings>;
