// What goes into the machine of `protocol.ts` and what comes out: exchanges, their replies, news and steps.

import type { Entry, Json, Operation, Request } from './message.ts';
import type { Verdict } from './verdict.ts';

/** One message to the gateway: the request to post, or none to ask what became of it. */
export interface Exchange {
  number: number;
  requestId: string;
  request?: Request;
}

/** What came of an exchange. */
export type Reply =
  | { reply: 'http'; status: number; body: Json | undefined; retryAfter?: number | undefined }
  /** Nothing came back. */
  | { reply: 'lost' }
  /** The request certainly never left. */
  | { reply: 'not_sent'; retryAfter?: number | undefined }
  /** The gateway refuses this till; what an operator has to mend. */
  | { reply: 'operator'; what: string };

/** News for whoever looks after the till. */
export type Notice =
  /** A request that nobody waited for any more has come to its end. A decline here was told to count: look at it. */
  | {
      notice: 'settled';
      requestId: string;
      first: string;
      basketId: string | undefined;
      operation: Operation;
      verdict: Verdict;
    }
  | { notice: 'away' | 'back' | 'journal_writable' }
  | { notice: 'operator' | 'journal_unwritable'; what: string }
  | { notice: 'request_id_taken'; requestId: string; renamed: string };

export type Step =
  | { step: 'write'; entries: Entry[] }
  | { step: 'send'; exchange: Exchange }
  | { step: 'tell'; ticket: number; requestId: string | undefined; verdict: Verdict }
  | { step: 'notice'; notice: Notice }
  /** Nothing until something happens, or until this time; see {@link Moment.uptime}. */
  | { step: 'wait'; until: number | undefined };
