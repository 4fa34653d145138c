// What a till asks for, before it has a name. Mirrors `pos-protocol/src/client/ask.rs`.

import type { Json, Operation, Request } from './message.ts';
import type { SettlementTotals } from './totals.ts';

/** A card as the scanner gave it, and when, on the till's own clock. */
export interface Scan {
  text: string;
  at: string;
}

export interface ReceiptLine {
  line_no: number;
  sku: string;
  name: string;
  category: string;
  quantity: number;
  amount: number;
  tax_rate: number;
}

/** The receipt of the wire. */
export interface Receipt {
  number: string;
  business_date: string;
  occurred_at: string;
  lines: ReceiptLine[];
  total: number;
  tax: number;
}

export interface RefundLine {
  line_no: number;
  quantity: number;
}

export type Ask =
  | { ask: 'inquiry'; basketId: string; scan: Scan }
  | { ask: 'authorization'; basketId: string; scan: Scan; points: number }
  | { ask: 'void'; basketId: string; authorizationId: string }
  | { ask: 'purchase'; basketId: string; scan: Scan; authorizationId?: string | undefined; receipt: Receipt }
  | { ask: 'refund_quote' | 'refund'; purchaseId: string; lines?: RefundLine[] | undefined }
  | { ask: 'reversal'; originalRequestId: string }
  | { ask: 'settlement'; businessDate: string; anyway: boolean };

/** The request that asks for it. `totals` are those of a settlement's day. */
export function requestOf(ask: Ask, requestId: string, at: string, totals: SettlementTotals): Request {
  const named = (operation: Operation, path: string, body: Json, more: Partial<Request> = {}): Request => ({
    request_id: requestId,
    at,
    operation,
    path,
    body: { request_id: requestId, ...body },
    ...more,
  });
  switch (ask.ask) {
    case 'inquiry':
      return named('inquiry', '/v1/pos/inquiries', { basket_id: ask.basketId, card: ask.scan.text }, ofBasket(ask));
    case 'authorization': {
      const body = { basket_id: ask.basketId, card: ask.scan.text, points: ask.points };
      return named('authorization', '/v1/pos/authorizations', body, ofBasket(ask));
    }
    case 'void': {
      const path = `/v1/pos/authorizations/${encodeURIComponent(ask.authorizationId)}/void`;
      return named('void', path, {}, { basket_id: ask.basketId });
    }
    case 'purchase': {
      const proof =
        ask.authorizationId === undefined ? { card: ask.scan.text } : { authorization_id: ask.authorizationId };
      return named(
        'purchase',
        '/v1/pos/purchases',
        { basket_id: ask.basketId, ...proof, receipt: ask.receipt },
        ofBasket(ask),
      );
    }
    case 'refund_quote':
    case 'refund': {
      const end = ask.ask === 'refund' ? 'refunds' : 'refund-quotes';
      const path = `/v1/pos/purchases/${encodeURIComponent(ask.purchaseId)}/${end}`;
      return named(ask.ask, path, ask.lines === undefined ? {} : { lines: ask.lines });
    }
    case 'reversal':
      return named('reversal', '/v1/pos/reversals', { original_request_id: ask.originalRequestId });
    case 'settlement':
      return named('settlement', '/v1/pos/settlements', { business_date: ask.businessDate, totals });
  }
}

function ofBasket(ask: { basketId: string; scan: Scan }): Partial<Request> {
  return { basket_id: ask.basketId, scanned_at: ask.scan.at };
}

/** What is wrong with the message, if anything: the gateway would refuse it, and a defect is better found here. */
export function violation(ask: Ask): string | undefined {
  switch (ask.ask) {
    case 'authorization':
      return Number.isSafeInteger(ask.points) && ask.points > 0 ? undefined : 'a hold is of one point at least';
    case 'refund':
    case 'refund_quote': {
      if (ask.lines === undefined) return undefined;
      const numbers = new Set(ask.lines.map((line) => line.line_no));
      if (numbers.size === 0 || numbers.size !== ask.lines.length) return 'lines that come back are named once each';
      return ask.lines.every((line) => line.quantity >= 1) ? undefined : 'no pieces of a line come back';
    }
    case 'purchase': {
      const { lines, total } = ask.receipt;
      if (lines.length === 0) return 'a receipt has a line at least';
      return lines.reduce((sum, line) => sum + line.amount, 0) === total ? undefined : 'the lines do not add up';
    }
    default:
      return undefined;
  }
}
