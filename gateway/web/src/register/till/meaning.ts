// What an HTTP answer means to a till: the table "Errors" of docs/till-client.md.

import type { Json } from './message.ts';
import type { Reply } from './step.ts';

export type Meaning =
  /** The answer, if it is one to the request. */
  | { is: 'answer'; body: Json }
  /** To the question what became of a request: it never arrived. */
  | { is: 'not_there' }
  /** The first is still running: wait. */
  | { is: 'running' }
  /** Everybody waits so many milliseconds. */
  | { is: 'hold'; wait: number }
  /** The id is another request's. */
  | { is: 'taken' }
  /** The till's defect; no effect, nothing stored. */
  | { is: 'refused'; problem: string; detail: string }
  /** It did not arrive whole. */
  | { is: 'broken_off' }
  /** Unknown, and perhaps this request's own fault. */
  | { is: 'fault' }
  /** Not begun, or unknown: the gateway cannot just now. */
  | { is: 'cannot' }
  /** An operator has to mend it. */
  | { is: 'operator'; what: string };

/** Without `Retry-After` a rate limit is waited for so long, in milliseconds. */
const HOLD_MS = 1_000;

/** `sent`: the request itself was posted, rather than asked about. */
export function meaningOf(
  { status, body = {}, retryAfter }: Extract<Reply, { reply: 'http' }>,
  sent: boolean,
): Meaning {
  const problem = /\/problems\/(.+)$/.exec(String(body['type'] ?? ''))?.[1] ?? '';
  if (status === 200) return { is: 'answer', body };
  if (status === 404 && problem === 'unknown_resource' && !sent) return { is: 'not_there' };
  if (status === 408) return { is: 'broken_off' };
  if (status === 409) return { is: 'running' };
  if (status === 429) return { is: 'hold', wait: retryAfter ?? HOLD_MS };
  if (status === 422 && problem === 'request_id_reused') return { is: 'taken' };
  // Only the gateway itself can say that a message is malformed: something on the way might.
  if ([400, 413, 415, 422].includes(status) && problem !== '' && sent) {
    return { is: 'refused', problem, detail: String(body['detail'] ?? '') };
  }
  if (status === 500) return { is: 'fault' };
  if (status > 500 && status < 600) return { is: 'cannot' };
  return { is: 'operator', what: `HTTP ${status}${problem === '' ? '' : ` ${problem}`}` };
}
