// Options of a project's forge, as the API wants them. Used by settings.ts.
import { readFileSync } from 'node:fs';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ForgeChoice, ForgeKindName, MergeMethod } from '../../../protocol/project.ts';

/** Which forge, and what opens it. */
export interface ForgeChoiceArgs {
  forge: string | undefined;
  forgeUrl: string | undefined;
  forgeKind: ForgeKindName | undefined;
  forgeTokenFile: string | undefined;
  forgeAppId: string | undefined;
  forgeWebhookSecretFile: string | undefined;
}

export interface ForgeArgs extends ForgeChoiceArgs {
  reviewer: string[] | undefined;
  label: string[] | undefined;
  draft: boolean | undefined;
  mergeMethod: MergeMethod | 'default' | undefined;
}

/** What was named of the forge. Tokens come by files: every user of the machine can read arguments. */
export function forgeChoice(args: ForgeChoiceArgs): ForgeChoice | undefined {
  const { forge, forgeUrl, forgeKind, forgeAppId, ...files } = args;
  const choice: ForgeChoice = {
    ...(forge === undefined ? {} : { name: forge }),
    ...(forgeUrl === undefined ? {} : { url: forgeUrl }),
    ...(forgeKind === undefined ? {} : { kind: forgeKind }),
    ...(forgeAppId === undefined ? {} : { appId: forgeAppId }),
    ...(files.forgeTokenFile === undefined ? {} : { token: secretIn(files.forgeTokenFile) }),
    ...(files.forgeWebhookSecretFile === undefined
      ? {}
      : { webhookSecret: secretIn(files.forgeWebhookSecretFile) }),
  };
  return Object.keys(choice).length === 0 ? undefined : choice;
}

/** What was named of the forge and its pull requests. */
export function forgeSettings(args: ForgeArgs) {
  const { reviewer, label, draft, mergeMethod } = args;
  return {
    forge: forgeChoice(args),
    reviewers: reviewer?.map((name) => name.replace(/^@/, '')).filter((name) => name !== ''),
    labels: label?.filter((name) => name !== ''),
    draft,
    mergeMethod: mergeMethod === 'default' ? null : mergeMethod,
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
