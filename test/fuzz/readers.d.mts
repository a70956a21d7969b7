// Types of the parsers that others wrote.

/** What dnspython has against messages; null: it is not installed. */
export function readByDnspython(messages: readonly Buffer[]): string[] | null;
/** What ldns has against messages; null: drill is not installed. */
export function readByLdns(messages: readonly Buffer[]): string[] | null;
