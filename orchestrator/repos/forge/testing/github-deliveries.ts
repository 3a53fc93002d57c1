// GitHub's own example deliveries, for tests.
import examples from '@octokit/webhooks-examples' with { type: 'json' };

// The tests look into whatever came.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Payload = Record<string, any>;

/** The payloads of an event, as `pull_request`. */
export function examplesOf(event: string): Payload[] {
  const all = examples as unknown as { name: string; examples: Payload[] }[];
  const found = all.find(({ name }) => name === event);
  if (found === undefined) throw new Error(`There is no example of the event ${event}.`);
  return found.examples;
}
