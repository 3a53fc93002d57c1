// Rule `binary-blobs`: new or changed binary files over a limit. History keeps them for ever, and nobody can read them.
import { present, shownBytes } from './rule.ts';
import type { Rule } from './rule.ts';

export const LARGEST_BINARY = 512 << 10;

export const binaryBlobs: Rule = {
  name: 'binary-blobs',
  find: (diff) =>
    present(diff)
      .filter(({ binary, bytes }) => binary && bytes > LARGEST_BINARY)
      .map(({ path, status, bytes }) => ({
        path,
        reason: `a binary file of ${shownBytes(bytes)} was ${status}; over ${shownBytes(LARGEST_BINARY)} is too much`,
        remedy: 'leave it out, or make it smaller',
      })),
};
