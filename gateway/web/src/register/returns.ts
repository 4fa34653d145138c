// Goods come back, or a whole sale is undone. The quote and the refund are the gateway's numbers; the page only adds up the cash.

import { told } from './checkout.ts';
import type { Register } from './register.ts';
import { type PaidBack, returnable, type SaleRecord } from './sale/draft.ts';
import { RECEIPTS } from './till/journal.ts';
import type { Purchase, Refund } from './till/totals.ts';
import type { Verdict } from './till/verdict.ts';

/** Pieces that come back, by line. */
export type Pieces = Record<number, number>;

/** What a refund does, as the cashier sees it before confirming. */
export interface Quote {
  amount: number;
  /** Nothing of points in a sale without a card. */
  refund?: Refund;
  cash: number;
}

export type Quoted = { quote: Quote } | { verdict: Verdict };

/** The receipt of this number, typed with or without its dash. */
export async function findReceipt(register: Register, typed: string): Promise<SaleRecord | undefined> {
  const digits = typed.normalize('NFKC').replace(/\D/g, '');
  if (digits.length < 7) return undefined;
  return register.storage.get<SaleRecord>(RECEIPTS, `${digits.slice(0, 6)}-${digits.slice(6)}`);
}

/** The latest receipts, newest first. */
export async function latestReceipts(register: Register, count: number): Promise<SaleRecord[]> {
  const rows = await register.storage.all<SaleRecord>(RECEIPTS);
  return rows
    .slice(-count)
    .reverse()
    .map(([, record]) => record);
}

/** The yen of these pieces. */
export function amountOf(record: SaleRecord, pieces: Pieces): number {
  return record.lines.reduce((sum, line) => sum + line.price * (pieces[line.lineNo] ?? 0), 0);
}

/**
 * The money of these pieces where the gateway has no sale to quote. What was let off for points, in a sale that was declined later, was
 * never paid: each piece bears its part of it, and all pieces together all of it.
 */
export function cashBack(record: SaleRecord, pieces: Pieces): number {
  const before = amountOf(record, record.returned);
  const letOff = (amount: number): number =>
    Math.floor((record.pointsUsed * amount) / Math.max(record.totals.total, 1));
  const amount = amountOf(record, pieces);
  return amount - (letOff(before + amount) - letOff(before));
}

/** The gateway's sale; there is none without a card, nor where the points were declined. */
function purchaseOf(record: SaleRecord): Purchase | undefined {
  return record.points === 'none' || record.points === 'declined' ? undefined : record.purchase;
}

/** Asks what a refund of these pieces would do. */
export async function quote(register: Register, record: SaleRecord, pieces: Pieces): Promise<Quoted> {
  const amount = amountOf(record, pieces);
  const purchase = purchaseOf(record);
  if (!purchase) return { quote: { amount, cash: cashBack(record, pieces) } };
  const purchaseId = purchase.id;
  const lines = linesOf(record, pieces);
  const { verdict } = await register.ask('refund_quote', () =>
    register.keeper.ask({ ask: 'refund_quote', purchaseId, lines }),
  );
  if (verdict.verdict !== 'approved') return { verdict };
  return { quote: quoteOf(verdict.answer['refund'] as Refund) };
}

/** Refunds these pieces as they were quoted. `verdict` is missing in a sale without points. */
export async function refund(
  register: Register,
  record: SaleRecord,
  pieces: Pieces,
  quoted: Quote,
): Promise<{ quote?: Quote; verdict?: Verdict; record: SaleRecord }> {
  const purchase = purchaseOf(record);
  if (!purchase) {
    const returned = withReturned(record, pieces, { date: register.today(), yen: quoted.cash });
    await register.keepRecord(returned);
    return { quote: quoted, record: returned };
  }
  const purchaseId = purchase.id;
  const lines = linesOf(record, pieces);
  const { verdict, requestId } = await register.ask('refund', () =>
    register.keeper.ask({ ask: 'refund', purchaseId, lines }),
  );
  if (verdict.verdict !== 'approved' && verdict.verdict !== 'queued') {
    await told(register, requestId);
    return { verdict, record };
  }
  const done = verdict.verdict === 'approved' ? quoteOf(verdict.answer['refund'] as Refund) : undefined;
  // What is queued has no numbers yet: the cashier gave back what was quoted.
  const given = { date: register.today(), yen: (done ?? quoted).cash, ...queuedAs(verdict, requestId) };
  const returned = withReturned(record, pieces, given);
  await register.keepRecord(returned);
  await told(register, requestId);
  return { verdict, ...(done ? { quote: done } : {}), record: returned };
}

/** What undoing a sale did. `cash` goes back to the shopper. */
export interface Undone {
  verdict?: Verdict;
  record: SaleRecord;
  quote?: Quote;
}

/** Undoes a whole sale: the gateway makes its linked refund, whether or not the sale has reached it. */
export async function undo(register: Register, record: SaleRecord): Promise<Undone> {
  const paid = record.totals.total - record.pointsUsed;
  const undone = (given: PaidBack): SaleRecord => ({
    ...record,
    points: 'undone',
    returned: all(record),
    paidBack: paidBackOf(record, given),
  });
  const whole: Quote = { amount: record.totals.total, cash: paid };
  if (record.points === 'none' || record.requestId === undefined) {
    const plain = undone({ date: register.today(), yen: paid });
    await register.keepRecord(plain);
    return { record: plain, quote: whole };
  }
  const originalRequestId = record.requestId;
  const { verdict, requestId } = await register.ask('reversal', () =>
    register.keeper.ask({ ask: 'reversal', originalRequestId }),
  );
  if (verdict.verdict !== 'approved' && verdict.verdict !== 'queued') return { verdict, record };
  // What is queued has no numbers yet: all that was paid goes back, and what should have been kept is shown later.
  const refund = verdict.verdict === 'approved' ? (verdict.answer['refund'] as Refund | undefined) : undefined;
  const quote = refund ? quoteOf(refund) : whole;
  const ended = undone({ date: register.today(), yen: quote.cash, ...queuedAs(verdict, requestId) });
  await register.keepRecord(ended);
  return { verdict, record: ended, quote };
}

/** All that is left goes without lines, so that the gateway's own count decides. */
function linesOf(record: SaleRecord, pieces: Pieces): { line_no: number; quantity: number }[] | undefined {
  const isAll = returnable(record).every((line) => pieces[line.lineNo] === line.quantity);
  if (isAll) return undefined;
  return Object.entries(pieces)
    .filter(([, quantity]) => quantity > 0)
    .map(([lineNo, quantity]) => ({ line_no: Number(lineNo), quantity }));
}

/** What was paid with points goes back as points, not as cash; one point is one yen. */
export function quoteOf(refund: Refund): Quote {
  const cash = refund.amount - refund.points_restored - refund.points_lapsed - refund.shortfall_yen;
  return { amount: refund.amount, refund, cash: Math.max(cash, 0) };
}

function withReturned(record: SaleRecord, pieces: Pieces, given: PaidBack): SaleRecord {
  const returned = { ...record.returned };
  for (const [lineNo, quantity] of Object.entries(pieces)) {
    returned[Number(lineNo)] = (returned[Number(lineNo)] ?? 0) + quantity;
  }
  return { ...record, returned, paidBack: paidBackOf(record, given) };
}

function paidBackOf(record: SaleRecord, given: PaidBack): PaidBack[] {
  return [...(record.paidBack ?? []), given];
}

/** Names the request of money that was given back before the gateway said how much. */
function queuedAs(verdict: Verdict, requestId: string | undefined): Pick<PaidBack, 'requestId'> {
  return verdict.verdict === 'queued' && requestId !== undefined ? { requestId } : {};
}

function all(record: SaleRecord): Record<number, number> {
  return Object.fromEntries(record.lines.map((line) => [line.lineNo, line.quantity]));
}
