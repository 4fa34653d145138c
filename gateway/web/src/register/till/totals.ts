// A business day's totals, from the journal. Mirrors `pos-protocol/src/client/totals.rs` and so the gateway's rule: a purchase counts on
// the day of its receipt, also when it was undone; a refund, and the reversal of a purchase, on the day it was answered.

import type { Receipt } from './ask.ts';
import { approvalOf, type Book } from './book.ts';
import { businessDay, type Settings } from './settings.ts';

export interface SettlementTotals {
  purchases: number;
  purchase_total: number;
  points_redeemed: number;
  points_earned: number;
  refunds: number;
  points_restored: number;
  points_clawed_back: number;
}

export const TOTAL_FIELDS = [
  'purchases',
  'purchase_total',
  'points_redeemed',
  'points_earned',
  'refunds',
  'points_restored',
  'points_clawed_back',
] as const satisfies readonly (keyof SettlementTotals)[];

export interface Earned {
  points: number;
  class: string;
  expires_on?: string;
  pending_until?: string;
  why: string;
}

export interface Purchase {
  id: string;
  points_redeemed: number;
  points_shortfall?: number;
  points_earned: number;
  earned: Earned[];
}

export interface Refund {
  id?: string;
  amount: number;
  points_restored: number;
  points_lapsed: number;
  points_clawed_back: number;
  points_owed: number;
  shortfall_yen: number;
}

/** A sale that the gateway approved, as the journal has it. */
export interface Sold {
  requestId: string;
  purchase: Purchase;
  receipt: Receipt;
  reversed: boolean;
}

/** Every approved sale, oldest first. */
export function sold(book: Book): Sold[] {
  return book.requests().flatMap((known) => {
    const purchase =
      known.request.operation === 'purchase' ? (approvalOf(known)?.['purchase'] as Purchase | undefined) : undefined;
    if (!purchase) return [];
    const receipt = known.request.body['receipt'] as Receipt;
    return [{ requestId: known.request.request_id, purchase, receipt, reversed: known.state.is === 'reversed' }];
  });
}

/** The totals of a business day. */
export function totalsOf(book: Book, day: string, settings: Settings): SettlementTotals {
  const totals = Object.fromEntries(TOTAL_FIELDS.map((field) => [field, 0])) as unknown as SettlementTotals;
  for (const { purchase, receipt } of sold(book).filter((sale) => sale.receipt.business_date === day)) {
    totals.purchases += 1;
    totals.purchase_total += receipt.total;
    totals.points_redeemed += purchase.points_redeemed + (purchase.points_shortfall ?? 0);
    totals.points_earned += purchase.points_earned;
  }
  for (const refund of refundsOf(book, day, settings)) {
    totals.refunds += 1;
    totals.points_restored += refund.points_restored;
    totals.points_clawed_back += refund.points_clawed_back;
  }
  return totals;
}

function refundsOf(book: Book, day: string, settings: Settings): Refund[] {
  return book.requests().flatMap((known) => {
    if (known.request.operation !== 'refund' && known.request.operation !== 'reversal') return [];
    if (known.answeredAt === undefined || businessDay(Date.parse(known.answeredAt), settings) !== day) return [];
    const refund = approvalOf(known)?.['refund'] as Refund | undefined;
    return refund ? [refund] : [];
  });
}

/** Requests whose answer is missing in the totals of `day`. */
export function unsettledOn(book: Book, day: string, settings: Settings): number {
  return book.work().filter(({ known }) => {
    const receipt = known.request.operation === 'purchase' ? (known.request.body['receipt'] as Receipt) : undefined;
    return receipt ? receipt.business_date === day : businessDay(Date.parse(known.request.at), settings) <= day;
  }).length;
}
