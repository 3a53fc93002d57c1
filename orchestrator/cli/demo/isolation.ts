// What confines the demo's run: a sandbox where this machine can have one, else nothing, said aloud with what to do about it.
import type { Isolation, Project } from '../../../protocol/project.ts';
import { isolationWords } from '../project/show.ts';
import { offeredHere } from '../sandbox.ts';

export interface DemoIsolation {
  isolation: Isolation;
  /** Needed for a run without a sandbox. */
  trusted: boolean;
  missing: string | null;
}

/** For the projects that the demo makes. */
export async function chooseIsolation(): Promise<DemoIsolation> {
  const { isolations, missing } = await offeredHere();
  const sandboxed = isolations.includes('bubblewrap');
  return { isolation: sandboxed ? 'bubblewrap' : 'directory', trusted: !sandboxed, missing };
}

/** The line that says so. */
export function isolationFact(project: Project, { missing }: DemoIsolation): string {
  return [
    isolationWords(project),
    ...(project.isolation === 'directory' && missing !== null ? [missing] : []),
  ].join('. ');
}
