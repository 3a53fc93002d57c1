// Options of a project's forge, as the API wants them. Used by settings.ts.
import { readFileSync } from 'node:fs';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ForgeChoice } from '../../../protocol/project.ts';

export interface ForgeArgs {
  forge: string | undefined;
  forgeUrl: string | undefined;
  forgeTokenFile: string | undefined;
  forgeWebhookSecretFile: string | undefined;
  reviewer: string[] | undefined;
  label: string[] | undefined;
}

/** The named forge, reviewers and labels. Tokens come by files: an argument can be read by every user of the machine. */
export function forgeSettings({ forge, forgeUrl, reviewer, label, ...files }: ForgeArgs) {
  const choice: ForgeChoice = {
    ...(forge === undefined ? {} : { name: forge }),
    ...(forgeUrl === undefined ? {} : { url: forgeUrl }),
    ...(files.forgeTokenFile === undefined ? {} : { token: secretIn(files.forgeTokenFile) }),
    ...(files.forgeWebhookSecretFile === undefined
      ? {}
      : { webhookSecret: secretIn(files.forgeWebhookSecretFile) }),
  };
  return {
    forge: Object.keys(choice).length === 0 ? undefined : choice,
    reviewers: reviewer?.map((name) => name.replace(/^@/, '')).filter((name) => name !== ''),
    labels: label?.filter((name) => name !== ''),
  };
}

function secretIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new AutocodeError('ERR_INVALID_INPUT', `${file} cannot be read: ${(error as Error).message}.`, {
      cause: error,
    });
  }
  if (text.trim() !== '') return text.trim();
  throw new AutocodeError('ERR_INVALID_INPUT', `${file} is empty.`, {
    remedy: 'It must hold the token or secret and nothing else.',
  });
}
