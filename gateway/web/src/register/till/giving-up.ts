// What becomes of a request when nobody can wait for it any longer. Mirrors `pos-protocol/src/client/machine/giving_up.rs`.

import type { Known } from './book.ts';
import { type Live, mayArrive } from './live.ts';
import { asAdvice, type Entry, type GiveUp, reversalOf } from './message.ts';
import type { Verdict, Why } from './verdict.ts';

/** How a request is given up: what is written, and what is told. `name` is for the request that this may take. */
export function givenUp(
  known: Known,
  live: Live,
  rule: GiveUp,
  at: string,
  name: string,
): { entry: Entry; verdict: Verdict } {
  const { request } = known;
  // What was never tried had to wait for something else.
  const why: Why = live.why ?? { is: live.pause === 0 && !mayArrive(live) ? 'busy' : 'no_answer' };
  const dropped: Entry = { entry: 'dropped', request_id: request.request_id, at };
  if (rule === 'forget' || (rule === 'reverse' && !mayArrive(live))) {
    return { entry: dropped, verdict: { verdict: 'not_asked', why, undoing: false } };
  }
  if (rule === 'reverse') {
    return {
      entry: { entry: 'request', ...reversalOf(request, name, at) },
      verdict: { verdict: 'not_asked', why, undoing: true },
    };
  }
  // A sale that never left the till is told as what it is: one that happened.
  const advice = mayArrive(live) ? undefined : asAdvice(request, name, at);
  const entry: Entry = advice
    ? { entry: 'request', ...advice, replaces: request.request_id }
    : { entry: 'kept', request_id: request.request_id, at };
  return { entry, verdict: { verdict: 'queued', why } };
}
