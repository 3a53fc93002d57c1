// Options that say which forge, and what opens it. Used by the verbs that may meet a forge not named before.
import type { Argv } from 'yargs';
import { FORGE_KINDS } from './choices.ts';

/** As `../project/forge.ts` reads them. */
export function forgeOptions<A>(yargs: Argv<A>) {
  return yargs
    .option('forge', {
      type: 'string',
      requiresArg: true,
      describe: 'Name of the forge (docs/forges.md); found by its address when left out',
    })
    .option('forge-url', {
      type: 'string',
      requiresArg: true,
      describe: 'Address of a forge not named before',
    })
    .option('forge-kind', {
      choices: FORGE_KINDS,
      requiresArg: true,
      describe: 'What a forge not named before is; found out when left out',
    })
    .option('forge-token-file', {
      type: 'string',
      requiresArg: true,
      describe:
        "File with the forge's access token, or a GitHub App's private key; `-` for standard input; kept as a secret",
    })
    .option('forge-app-id', {
      type: 'string',
      requiresArg: true,
      describe: 'Id of the GitHub App whose private key is in --forge-token-file',
    })
    .option('forge-webhook-secret-file', {
      type: 'string',
      requiresArg: true,
      describe: 'File with the secret that the forge signs its webhooks with',
    });
}
