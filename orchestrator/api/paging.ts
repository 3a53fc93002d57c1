// Query parameters that lists share.
import { z } from 'zod';

/** How many rows a list answers with. */
export const Limit = z.coerce.number().int().min(1).max(1000).default(100);
