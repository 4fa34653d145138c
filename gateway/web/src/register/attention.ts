// What a person has to look at: a request that was told to count, and came out otherwise when nobody waited for it any more.

import type { Register } from './register.ts';
import { quoteOf } from './returns.ts';
import type { SaleRecord } from './sale/draft.ts';
import type { Book } from './till/book.ts';
import { RECEIPTS } from './till/journal.ts';
import { type Operation, reverses } from './till/message.ts';
import type { Refund } from './till/totals.ts';
import type { Verdict } from './till/verdict.ts';

/** Money that was given back before the gateway said how much, and what it said. */
export interface Given {
  yen: number;
  due: number;
}

/** Whether this end of `operation` has to be looked at. */
export function wantsAttention(operation: Operation, verdict: Verdict, given?: Given): boolean {
  switch (operation) {
    case 'purchase':
      return verdict.verdict !== 'approved';
    case 'refund':
    case 'reversal':
      return verdict.verdict !== 'approved' || (given !== undefined && given.yen !== given.due);
    default:
      return false;
  }
}

/** What was given back for the request first known as `requestId`, beside what it should have been. */
export function givenFor(book: Book, record: SaleRecord, requestId: string, verdict: Verdict): Given | undefined {
  const refund = verdict.verdict === 'approved' ? (verdict.answer['refund'] as Refund | undefined) : undefined;
  const paid = record.paidBack?.find(
    (each) => each.requestId !== undefined && book.first(each.requestId) === requestId,
  );
  return refund && paid && { yen: paid.yen, due: quoteOf(refund).cash };
}

/** The receipt that a request of the journal is about: a sale by its number, a refund by its purchase, a reversal by what it undoes. */
export async function receiptOfRequest(register: Register, requestId: string): Promise<SaleRecord | undefined> {
  const { book } = register.keeper.machine;
  const request = book.find(requestId)?.request;
  if (!request) return undefined;
  const number = (request.body['receipt'] as { number?: string } | undefined)?.number;
  if (number !== undefined) return register.storage.get<SaleRecord>(RECEIPTS, number);
  const original = reverses(request);
  const purchaseId = /\/purchases\/([^/]+)\/refunds$/.exec(request.path)?.[1];
  const rows = await register.storage.all<SaleRecord>(RECEIPTS);
  const isIt = ({ purchase, requestId: sale }: SaleRecord): boolean => {
    if (purchaseId !== undefined) return purchase?.id === decodeURIComponent(purchaseId);
    return original !== undefined && sale !== undefined && book.current(sale) === book.current(original);
  };
  return rows.map(([, record]) => record).findLast(isIt);
}
