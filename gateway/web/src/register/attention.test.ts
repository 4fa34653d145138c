// Which late ends a person has to look at.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wantsAttention } from './attention.ts';
import type { Operation } from './till/message.ts';
import type { Verdict } from './till/verdict.ts';

const approved = (shortfall_yen?: number): Verdict => ({
  verdict: 'approved',
  answer: shortfall_yen === undefined ? {} : { refund: { shortfall_yen } },
});
const declined = (reason: string): Verdict => ({ verdict: 'declined', decline: { reason, response_code: '05' } });

const ENDS: [Operation, Verdict, boolean][] = [
  ['purchase', approved(), false],
  ['purchase', declined('advice_too_late'), true],
  ['refund', approved(0), false],
  ['refund', approved(8), true],
  ['refund', declined('above_refundable'), true],
  ['reversal', approved(), false],
  ['reversal', approved(8), true],
  ['reversal', declined('not_reversible'), true],
  ['void', declined('already_voided'), false],
  ['inquiry', declined('unknown_card'), false],
];
for (const [operation, verdict, wants] of ENDS) {
  test(`attention: ${operation} ${JSON.stringify(verdict)} ${wants ? 'is shown' : 'is not'}`, () =>
    assert.equal(wantsAttention(operation, verdict), wants));
}
