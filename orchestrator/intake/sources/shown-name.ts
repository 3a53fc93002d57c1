// Names that a source gives, where they are shown outside quotes. Used by the sources of alarms and of Jira.

/** A name without what could be read as anything but a name. */
export function shownName(name: string): string {
  return /^[\w.:/@+#-]{1,120}$/.test(name)
    ? name
    : `“${name.replaceAll(/[^\p{L}\p{N} _.:/@+#-]/gu, '').slice(0, 120)}”`;
}
