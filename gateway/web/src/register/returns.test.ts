// The money that goes back. What the gateway decides is quoted; these are the sums of the page.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cashBack, quoteOf } from './returns.ts';
import type { SaleRecord } from './sale/draft.ts';

/** Three pieces of 151 yen and one of 1,100. */
function record(pointsUsed: number): SaleRecord {
  const line = (lineNo: number, price: number, quantity: number) =>
    ({ lineNo, price, quantity, sku: 's', name: 'n', category: 'c', taxRate: 10 }) as const;
  return {
    number: '261122-0001',
    basketId: 'b',
    businessDate: '2026-11-22',
    occurredAt: '2026-11-22T03:00:00.000Z',
    lines: [line(1, 151, 3), line(2, 1_100, 1)],
    totals: { total: 1_553, tax: 141, pieces: 4, split: [] },
    tender: 'cash',
    received: 1_553 - pointsUsed,
    change: 0,
    pointsUsed,
    points: 'declined',
    returned: {},
  };
}

test('returns: a sale declined late gives back what was paid, not what was let off', () => {
  assert.equal(cashBack(record(0), { 1: 3, 2: 1 }), 1_553);
  assert.equal(cashBack(record(500), { 1: 3, 2: 1 }), 1_053);
});

test('returns: piece by piece it comes to the same', () => {
  let sale = record(500);
  let cash = 0;
  for (const pieces of [{ 1: 1 }, { 2: 1 }, { 1: 1 }, { 1: 1 }]) {
    cash += cashBack(sale, pieces);
    const returned = { ...sale.returned };
    for (const [line, count] of Object.entries(pieces)) returned[Number(line)] = (returned[Number(line)] ?? 0) + count;
    sale = { ...sale, returned };
  }
  assert.equal(cash, 1_053);
});

test('returns: points go back as points, and what is kept is not given back', () => {
  const refund = { amount: 1_100, points_restored: 200, points_lapsed: 50, points_clawed_back: 3, points_owed: 0 };
  assert.equal(quoteOf({ ...refund, shortfall_yen: 0 }).cash, 850);
  assert.equal(quoteOf({ ...refund, shortfall_yen: 8 }).cash, 842);
});
