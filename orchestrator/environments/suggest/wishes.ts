// What a repository wishes for of an environment, and how well one has it. Pure. Used by the files beside it and the CLI.

export interface ToolWish {
  tool: string;
  /** As `22`, `3.12.1`, or a word as `latest` that any version is good for. */
  version: string;
  /** The file that says so. */
  from: string;
}

export interface Wishes {
  tools: ToolWish[];
  variables: Record<string, string>;
  /** Parts that have no counterpart here. */
  unmapped: { what: string; todo: string }[];
}

export interface Lack {
  wish: ToolWish;
  /** What is there instead, if anything. */
  there: string | null;
}

/** Tools that are not there, or in another version; `tools` is what each says of its version. */
export function lacks(wishes: ToolWish[], tools: ReadonlyMap<string, string>): Lack[] {
  return wishes.flatMap((wish) => {
    const there = tools.get(wish.tool) ?? null;
    return there !== null && fits(wish.version, there) ? [] : [{ wish, there }];
  });
}

/** `22` is any 22.x.y; a word without a number is any version. */
function fits(wanted: string, there: string): boolean {
  const version = /(?:^|[-@v=~^])(\d+(?:\.\d+)*)/.exec(wanted.trim())?.[1];
  if (version === undefined) return true;
  const found = /\d+(?:\.\d+)*/.exec(there)?.[0] ?? '';
  return found === version || found.startsWith(`${version}.`);
}
