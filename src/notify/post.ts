// One POST to a webhook: resolves with the status of the final response, whatever becomes of its body.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { limits } from '../base/limits.ts';

/** An answer came, and it is no HTTP that can be read. */
export class UnreadableAnswer extends Error {}

/**
 * Sends the body. Interim responses are passed over (RFC 9110 15.2), redirects are not followed. Rejects with UnreadableAnswer, or with the
 * connection's error when no answer came.
 */
export function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? requestHttps : requestHttp)(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      // Events are rare, and a kept connection may be gone when the next one comes.
      agent: false,
      signal,
    });
    request.on('response', (response) => {
      resolve(response.statusCode!);
      // The status is all that counts; who goes on talking is hung up on.
      let bytes = 0;
      response.on('error', () => {});
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > limits.webhookAnswerBytes) request.destroy();
      });
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      reject(error.code?.startsWith('HPE_') ? new UnreadableAnswer(error.message) : error);
    });
    request.end(body);
  });
}
