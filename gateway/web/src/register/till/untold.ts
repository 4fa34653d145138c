// Sales and refunds whose end the last run decided, or left open, and did not show: it was closed or broke down in between. Shown before
// anything is sold, for what counts must not be entered again. Mirrors `pos-protocol/src/client/untold.rs`.

import type { Receipt } from './ask.ts';
import { approvalOf, type Book, declineOf, type Known } from './book.ts';
import type { Operation } from './message.ts';
import type { Verdict } from './verdict.ts';

export interface Untold {
  requestId: string;
  basketId: string | undefined;
  receiptNumber: string | undefined;
  operation: Operation;
  verdict: Verdict;
}

/** What the journal's last run may not have told, oldest first. */
export function untold(book: Book): Untold[] {
  const orders = book.requests().filter(({ request, told }) => {
    return (
      (request.operation === 'purchase' || request.operation === 'refund') && request.replaces === undefined && !told
    );
  });
  return orders.map((known) => ({
    requestId: known.request.request_id,
    basketId: known.request.basket_id,
    receiptNumber: (known.request.body['receipt'] as Receipt | undefined)?.number,
    operation: known.request.operation,
    verdict: verdictOf(book.find(book.current(known.request.request_id)) ?? known, book),
  }));
}

/** What the cashier would be told of it now. This register's sales and refunds all count once they are written down. */
export function verdictOf(known: Known, book: Book): Verdict {
  const why = { is: 'restarted' } as const;
  switch (known.state.is) {
    case 'answered': {
      const [approval, decline] = [approvalOf(known), declineOf(known)];
      if (book.workOn(known.request.request_id) === 'advise') return { verdict: 'queued', why };
      if (approval) return { verdict: 'approved', answer: approval };
      return decline ? { verdict: 'declined', decline } : { verdict: 'queued', why };
    }
    case 'reversed':
      return { verdict: 'not_asked', why, undoing: true };
    case 'dropped':
      return { verdict: 'not_asked', why, undoing: false };
    case 'refused':
      return {
        verdict: 'refused',
        refusal: { is: 'defect', problem: known.state.problem, detail: known.state.detail },
      };
    default:
      return { verdict: 'queued', why };
  }
}
