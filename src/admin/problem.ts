// Turns whatever went wrong with a request into an RFC 9457 problem document.
import { STATUS_CODES } from 'node:http';
import { RequestError } from '../api/views.ts';

/** The body of every error reply, `application/problem+json`. */
export interface ProblemDocument {
  /** RFC 9457 4.2.1: `about:blank` says that the problem is the status; `code` says which one exactly. */
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable word for programs; docs/operations.md lists them. */
  readonly code: string;
}

/** Every code that the admin gives by itself, with its status; RequestErrors of the control plane bring codes of their own. */
export const PROBLEMS = {
  'bad-request': 400,
  'bad-body': 400,
  'unknown-parameter': 400,
  'no-token': 401,
  'bad-token': 401,
  'bad-host': 403,
  'bad-origin': 403,
  'role-too-low': 403,
  'not-found': 404,
  'wrong-method': 405,
  'too-large': 413,
  'too-many-requests': 429,
  'too-many-streams': 503,
  busy: 503,
  'not-ready': 503,
  internal: 500,
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** A request that is refused: thrown by handlers and hooks, answered by the error handler. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.code = code;
    this.status = PROBLEMS[code];
    this.headers = headers;
  }
}

/** The document for an error of any kind. What nobody foresaw tells nothing of the inside: that goes into the log. */
export function problemOf(error: unknown): { document: ProblemDocument; headers: Readonly<Record<string, string>> } {
  if (error instanceof Problem)
    return { document: write(error.status, error.code, error.message), headers: error.headers };
  if (error instanceof RequestError) return { document: write(error.status, error.code, error.message), headers: {} };
  const { statusCode, message } = error as { statusCode?: unknown; message?: unknown };
  if (statusCode === 413)
    return { document: write(413, 'too-large', 'the body is larger than what is read'), headers: {} };
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return { document: write(statusCode, 'bad-request', String(message)), headers: {} };
  }
  return { document: write(500, 'internal', 'the server made a mistake; its log has the details'), headers: {} };
}

function write(status: number, code: string, detail: string): ProblemDocument {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, code };
}
