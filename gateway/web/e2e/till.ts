// A till, as far as the card's journeys need one: it asks the gateway what a scanned text is good for, and sells.

import type { Gateway } from './gateway.ts';

export interface TillAnswer {
  outcome: 'approved' | 'declined';
  response_code: string;
  reason?: string;
  member?: { display_name: string; member_no_masked: string; rank: string };
  points?: { available: number; spendable: number };
  purchase?: { id: string; points_redeemed: number; points_earned: number };
  authorization?: { id: string; points: number };
}

let count = 0;

export class Till {
  private token: string | undefined;

  constructor(private readonly gateway: Gateway) {}

  /** A basket nobody had. */
  basket(): string {
    count += 1;
    return `basket-${process.pid}-${count}`;
  }

  inquire(card: string, basket_id = this.basket()): Promise<TillAnswer> {
    return this.post('/v1/pos/inquiries', { basket_id, card });
  }

  authorize(card: string, points: number, basket_id = this.basket()): Promise<TillAnswer> {
    return this.post('/v1/pos/authorizations', { basket_id, card, points });
  }

  /** Sells tea for `yen`. */
  sell(card: string, yen: number, redeem_points = 0, basket_id = this.basket()): Promise<TillAnswer> {
    const line = { line_no: 1, sku: '4900001', name: '煎茶', category: 'food', quantity: 1, amount: yen, tax_rate: 8 };
    const receipt = {
      number: `R-${basket_id}`,
      business_date: businessDate(),
      occurred_at: new Date().toISOString(),
      lines: [line],
      total: yen,
      tax: Math.floor((yen * 8) / 108),
    };
    const redeem = redeem_points > 0 ? { redeem_points } : {};
    return this.post('/v1/pos/purchases', { basket_id, card, ...redeem, receipt });
  }

  refund(purchase: string): Promise<TillAnswer> {
    return this.post(`/v1/pos/purchases/${purchase}/refunds`, {});
  }

  private async post(path: string, body: Record<string, unknown>): Promise<TillAnswer> {
    this.token ??= await this.gateway.token('till-1');
    count += 1;
    const response = await fetch(this.gateway.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ request_id: `request-${process.pid}-${count}`, ...body }),
    });
    const answer = (await response.json()) as TillAnswer;
    if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }
}

/** Japan's calendar, turning over at five in the morning, as the demo's programme has it. */
function businessDate(): string {
  return new Date(Date.now() + 4 * 3_600_000).toISOString().slice(0, 10);
}
