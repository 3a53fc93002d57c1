// Sizes of memory as the fleet writes them.

/** MiB in GiB. */
export function gib(mib: number): string {
  return `${(mib / 1024).toFixed(mib > 0 && mib < 10_240 ? 1 : 0)} GiB`;
}
