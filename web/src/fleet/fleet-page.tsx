// What work is done with: the drain, workers and what runs on each, nodes of a cluster, GPUs and the models on them.
import { Page } from '../ui/page.tsx';
import { DrainPart } from './drain.tsx';
import { Models } from './models.tsx';
import { Nodes } from './nodes.tsx';
import { Workers } from './workers.tsx';

/** The page at `/fleet`. */
export function FleetPage() {
  return (
    <Page title="Fleet">
      <DrainPart />
      <Workers />
      <Nodes />
      <Models />
    </Page>
  );
}
