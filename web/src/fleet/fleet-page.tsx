// What work is done with: the drain, workers and what runs on each, what is placed in a cluster, GPUs and the models on them.
import { Page } from '../ui/page.tsx';
import { Cluster } from './cluster.tsx';
import { DrainPart } from './drain.tsx';
import { Models } from './models.tsx';
import { Workers } from './workers.tsx';

/** The page at `/fleet`. */
export function FleetPage() {
  return (
    <Page title="Fleet">
      <DrainPart />
      <Workers />
      <Cluster />
      <Models />
    </Page>
  );
}
