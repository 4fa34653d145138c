// What a person has to look at: a request that was told to count, and came out otherwise when nobody waited for it any more.

import type { Register } from './register.ts';
import type { SaleRecord } from './sale/draft.ts';
import { RECEIPTS } from './till/journal.ts';
import { type Operation, reverses } from './till/message.ts';
import type { Refund } from './till/totals.ts';
import type { Verdict } from './till/verdict.ts';

/** Whether this end of `operation` has to be looked at. */
export function wantsAttention(operation: Operation, verdict: Verdict): boolean {
  switch (operation) {
    case 'purchase':
      return verdict.verdict !== 'approved';
    case 'refund':
    case 'reversal':
      return verdict.verdict !== 'approved' || shortfallOf(verdict) > 0;
    default:
      return false;
  }
}

/** The yen that a refund keeps from the money, because the points it takes back were spent already. */
export function shortfallOf(verdict: Verdict): number {
  const refund = verdict.verdict === 'approved' ? (verdict.answer['refund'] as Partial<Refund> | undefined) : undefined;
  return refund?.shortfall_yen ?? 0;
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
