// Which late ends a person has to look at.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Given, givenFor, wantsAttention } from './attention.ts';
import type { SaleRecord } from './sale/draft.ts';
import { Book } from './till/book.ts';
import type { Operation } from './till/message.ts';
import type { Verdict } from './till/verdict.ts';

const approved: Verdict = { verdict: 'approved', answer: {} };
const declined = (reason: string): Verdict => ({ verdict: 'declined', decline: { reason, response_code: '05' } });

const ENDS: [Operation, Verdict, Given | undefined, boolean][] = [
  ['purchase', approved, undefined, false],
  ['purchase', declined('advice_too_late'), undefined, true],
  ['refund', approved, { yen: 100, due: 100 }, false],
  ['refund', approved, { yen: 100, due: 92 }, true],
  ['refund', declined('above_refundable'), undefined, true],
  ['reversal', approved, undefined, false],
  ['reversal', approved, { yen: 100, due: 92 }, true],
  ['reversal', declined('not_reversible'), undefined, true],
  ['void', declined('already_voided'), undefined, false],
  ['inquiry', declined('unknown_card'), undefined, false],
];
for (const [operation, verdict, given, wants] of ENDS) {
  test(`attention: ${operation} ${JSON.stringify([verdict, given])} ${wants ? 'is shown' : 'is not'}`, () =>
    assert.equal(wantsAttention(operation, verdict, given), wants));
}

test('attention: what a queued refund keeps from the money is compared with what was given back', () => {
  const refund = { amount: 1_100, points_restored: 0, points_lapsed: 0, points_clawed_back: 3, points_owed: 0 };
  const settled: Verdict = { verdict: 'approved', answer: { refund: { ...refund, shortfall_yen: 8 } } };
  const record = {
    paidBack: [
      { date: '2026-11-22', yen: 5 },
      { date: '2026-11-22', yen: 1_100, requestId: 'r' },
    ],
  };
  const book = new Book();
  assert.deepEqual(givenFor(book, record as SaleRecord, 'r', settled), { yen: 1_100, due: 1_092 });
  assert.equal(givenFor(book, record as SaleRecord, 'another', settled), undefined);
});
