// The client of one source's queue, and its refusals in our words. The AWS SDK is loaded with the first queue. Used by sqs.ts.
import type { SQSClient } from '@aws-sdk/client-sqs';
import { AutocodeError } from '../../../protocol/errors.ts';
import { secretNameOf, type Source, type SourceDeps } from '../source.ts';
import type { SqsSettings } from './sqs-settings.ts';

const CREDENTIALS = /^([\w-]{3,128}):([^\s:]{1,200})(?::(\S+))?$/;
const REQUEST_MS = 30_000; // the long poll takes 20 s of it

/** Opens a client; whoever does destroys it. ERR_SECRET where the credentials are none. */
export async function openQueue(
  source: Source<SqsSettings>,
  { secret }: Pick<SourceDeps, 'secret'>,
): Promise<SQSClient> {
  const { region, endpoint, defaultChain } = source.settings;
  const { SQSClient } = await import('@aws-sdk/client-sqs');
  return new SQSClient({
    region,
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: REQUEST_MS },
    ...(endpoint !== undefined && { endpoint, useQueueUrlAsEndpoint: false }),
    ...(!defaultChain && {
      credentials: credentialsOf(await secret(secretName(source)), secretName(source)),
    }),
  });
}

/** The secret that the credentials are in. */
export function secretName(source: Source<SqsSettings>): string {
  return source.settings.credentials ?? secretNameOf(source);
}

function credentialsOf(value: string, name: string) {
  const [, accessKeyId, secretAccessKey, sessionToken] = CREDENTIALS.exec(value.trim()) ?? [];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new AutocodeError('ERR_SECRET', `The secret ${name} has no credentials for SQS in it.`, {
      remedy: `Give it as KEY_ID:SECRET_KEY, with :SESSION_TOKEN where there is one: \`autocode secret set ${name}\`.`,
    });
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

const DENIED = [
  'AccessDenied',
  'AccessDeniedException',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSecurity',
  'InvalidSignatureException',
  'KmsAccessDenied',
  'MissingAuthenticationToken',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
];

/** What went wrong with a queue, and what to do. */
export function queueTrouble(error: unknown, queue: string, source: Source<SqsSettings>): AutocodeError {
  if (error instanceof AutocodeError) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const { region, defaultChain, endpoint } = source.settings;
  const credentials = defaultChain ? 'the credentials of the AWS SDK' : `the secret ${secretName(source)}`;
  if (/QueueDoesNotExist|NonExistentQueue|InvalidAddress/.test(name)) {
    return new AutocodeError('ERR_SOURCE_UNAVAILABLE', `There is no queue ${queue} in ${region}.`, {
      remedy: "Check the queue's address and region in the settings of the source.",
      cause: error,
    });
  }
  if (DENIED.includes(name)) {
    return new AutocodeError('ERR_SOURCE_DENIED', `The queue ${queue} refuses ${credentials}: ${message}`, {
      remedy: `Check ${credentials}, that they are of the region ${region}, and that they may receive, delete and change the visibility of its messages.`,
      cause: error,
    });
  }
  return new AutocodeError(
    'ERR_SOURCE_UNAVAILABLE',
    `The queue ${queue} cannot be asked: ${message || name}`,
    {
      remedy: `It is tried again; check that ${endpoint ?? new URL(queue).origin} can be reached.`,
      cause: error,
    },
  );
}
