// How long tests wait: never so short that a slow machine fails them. How fast things are is measured in bench/.

/** What hasn't come after this time won't come: some twenty times what the slowest of it takes on an idle machine. */
export const HANGS_MS = 60_000;
