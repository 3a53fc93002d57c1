// The version of everything that crosses a wire between orchestrator, worker and CLI.
// Peers one version apart understand each other; a wider gap is refused at registration. A change that the version before
// cannot take makes a step of two: 1 knew one repository a run.

export const PROTOCOL_VERSION = 3;

/** True when two peers may talk to each other. */
export function versionsAgree(ours: number, theirs: number): boolean {
  return Math.abs(ours - theirs) <= 1;
}
