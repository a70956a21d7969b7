// Why the admin can't start: a line for the operator.

/** An admin that can't start; the message is one line for people. */
export class AdminError extends Error {}
