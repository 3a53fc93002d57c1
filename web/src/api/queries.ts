// The cache of what was asked: one for the page. What the daemon refuses is not asked again; what it could not answer is.
import { QueryClient } from '@tanstack/react-query';
import { ApiError } from './client.ts';

const MOST_TRIES = 3;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false, // the live connection tells what changed
      retry: (failures, error) =>
        failures < MOST_TRIES && (!(error instanceof ApiError) || error.status === 0 || error.status >= 502),
    },
  },
});
