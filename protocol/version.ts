// The version of everything that crosses a wire between orchestrator, worker and CLI.
// Peers one version apart understand each other; a wider gap is refused at registration.

export const PROTOCOL_VERSION = 1;

/** True when two peers may talk to each other. */
export function versionsAgree(ours: number, theirs: number): boolean {
  return Math.abs(ours - theirs) <= 1;
}
