// The basket in progress and the receipt that it becomes. Both are kept on this machine with every change, so that a page that is loaded
// again, or crashed, goes on where it was.

import type { Receipt, Scan } from '../till/ask.ts';
import type { Purchase } from '../till/totals.ts';
import { amountOf, type Basket, EMPTY, type Line, type Totals, totals } from './basket.ts';

/** The member as a cashier may see it. */
export interface Member {
  name: string;
  numberMasked: string;
  rank: string;
  available: number;
  spendable: number;
}

/** Points that the gateway holds for this basket. */
export interface Hold {
  id: string;
  points: number;
  approvalCode: string;
  expiresAt: string;
}

export interface Draft {
  basketId: string;
  basket: Basket;
  scan?: Scan;
  /** `unconfirmed`: the gateway could not be asked; the sale earns all the same. */
  card?: 'asking' | 'confirmed' | 'unconfirmed';
  member?: Member;
  hold?: Hold;
  /** The number of the receipt with which it is being completed. */
  completing?: string;
}

export type Tender = 'cash' | 'other';

/** Money given back. */
export interface PaidBack {
  /** The business day. */
  date: string;
  yen: number;
  /** The request that was queued then: the gateway's own number came later. */
  requestId?: string;
}

/** A sale as this register printed it. */
export interface SaleRecord {
  number: string;
  basketId: string;
  businessDate: string;
  occurredAt: string;
  lines: Line[];
  totals: Totals;
  tender: Tender;
  /** Yen handed over, and given back. */
  received: number;
  change: number;
  pointsUsed: number;
  member?: Member;
  /** What the gateway says of it; `none` without a card. */
  points: 'none' | 'asking' | 'approved' | 'queued' | 'declined' | 'undone';
  requestId?: string;
  purchase?: Purchase;
  /** The member's points after the sale. */
  balance?: number;
  /** Why it was declined, as a stable word. */
  reason?: string;
  /** Pieces that came back, by line. */
  returned: Record<number, number>;
  /** Money that went back, and on which business day. Receipts of older registers have none written down. */
  paidBack?: PaidBack[];
}

export const freshDraft = (basketId: string): Draft => ({ basketId, basket: EMPTY });

/** What is left to pay. One point is one yen, as the demo's programme has it. */
export function due(draft: Draft): number {
  return totals(draft.basket.lines).total - (draft.hold?.points ?? 0);
}

/** The receipt of the wire. */
export function receiptOf(record: SaleRecord): Receipt {
  return {
    number: record.number,
    business_date: record.businessDate,
    occurred_at: record.occurredAt,
    lines: record.lines.map((line) => ({
      line_no: line.lineNo,
      sku: line.sku,
      name: line.name,
      category: line.category,
      quantity: line.quantity,
      amount: amountOf(line),
      tax_rate: line.taxRate,
    })),
    total: record.totals.total,
    tax: record.totals.tax,
  };
}

/** Lines and pieces that can still come back. */
export function returnable(record: SaleRecord): Line[] {
  return record.lines
    .map((line) => ({ ...line, quantity: line.quantity - (record.returned[line.lineNo] ?? 0) }))
    .filter((line) => line.quantity > 0);
}
