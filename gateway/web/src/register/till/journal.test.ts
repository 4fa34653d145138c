// What a smaller journal still says. That entries reach the disk is for the journeys in a real browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextNumber } from '../checkout.ts';
import { Book } from './book.ts';
import { compacted } from './journal.ts';
import type { Entry, Operation } from './message.ts';
import { businessDay, SETTINGS } from './settings.ts';
import { totalsOf } from './totals.ts';

const DAY = '2026-11-22';
const at = `${DAY}T03:00:00.000Z`;
const approved = (id: string) => ({ request_id: id, outcome: 'approved', response_code: '00' });

function order(
  id: string,
  operation: Operation,
  body: Record<string, unknown>,
  answer: Record<string, unknown>,
): Entry[] {
  const request = { request_id: id, at, operation, path: `/v1/pos/${operation}`, body: { request_id: id, ...body } };
  return [
    { entry: 'request', ...request, basket_id: 'b' },
    { entry: 'answer', request_id: id, at, answer: { ...approved(id), ...answer } },
    { entry: 'told', request_id: id, at },
  ];
}

const ENTRIES: Entry[] = [
  { entry: 'opened', format: 1, journal: 'j', generation: 'g', at, why: 'start' },
  ...order('i', 'inquiry', { card: '7001' }, { member: {} }),
  ...order('a', 'authorization', { card: '7001', points: 5 }, { authorization: { id: 'h', points: 5 } }),
  ...order(
    'p',
    'purchase',
    { card: '7001', receipt: { number: 'R', business_date: DAY, total: 1080 } },
    { purchase: { id: 'x', points_redeemed: 0, points_earned: 10 } },
  ),
  ...order('r', 'refund', {}, { refund: { points_restored: 1, points_clawed_back: 2 } }),
];

test('journal: a smaller one has the same totals and open holds, and no card text', () => {
  const book = Book.of(ENTRIES);
  const small = compacted(book, Date.parse(at) - 1);
  const again = Book.of(small);
  assert.deepEqual(totalsOf(again, DAY, SETTINGS), totalsOf(book, DAY, SETTINGS));
  assert.deepEqual(again.openHolds(), book.openHolds());
  assert.deepEqual(again.opened, book.opened);
  assert.doesNotMatch(JSON.stringify(small), /7001/);
  assert.equal(again.find('i'), undefined);
  assert.equal(again.find('p')?.told, true);
});

/** A sale that never left, so an advice took its place, and what the gateway said to that. */
function advised(answer: Record<string, unknown>): Entry[] {
  const body = { card: '7001', receipt: { number: 'R', business_date: DAY, total: 1080 } };
  const request = { at, operation: 'purchase', path: '/v1/pos/purchases', basket_id: 'b' } as const;
  const scanned_at = at;
  return [
    { entry: 'request', ...request, request_id: 'p1', body: { request_id: 'p1', ...body }, scanned_at },
    { entry: 'kept', request_id: 'p1', at },
    {
      entry: 'request',
      ...request,
      request_id: 'p2',
      body: { request_id: 'p2', ...body, advice: { scanned_at } },
      scanned_at,
      replaces: 'p1',
    },
    { entry: 'answer', request_id: 'p2', at, answer: { ...approved('p2'), ...answer } },
    { entry: 'told', request_id: 'p1', at },
  ];
}

test('journal: a smaller one does not open a sale again whose advice was declined', () => {
  const book = Book.of(advised({ outcome: 'declined', response_code: '05', reason: 'advice_too_late' }));
  assert.equal(book.unsettled, 0);
  const again = Book.of(compacted(book, Date.parse(at) - 1));
  assert.equal(again.unsettled, 0);
  assert.deepEqual(again.requests(), []);
});

test('journal: a smaller one still knows an advised sale by the name that was told', () => {
  const book = Book.of(advised({ purchase: { id: 'x', points_redeemed: 0, points_earned: 10 } }));
  const again = Book.of(compacted(book, Date.parse(at) - 1));
  assert.equal(again.unsettled, 0);
  assert.equal(again.current('p1'), 'p2');
  assert.deepEqual(totalsOf(again, DAY, SETTINGS), totalsOf(book, DAY, SETTINGS));
});

test('journal: what is old and settled is forgotten', () => {
  assert.equal(compacted(Book.of(ENTRIES), Date.parse(at) + 1).length, 1);
});

const NUMBERS: [string, string, string][] = [
  ['', '2026-11-22', '261122-0001'],
  ['261122-0001', '2026-11-22', '261122-0002'],
  ['261122-9999', '2026-11-22', '261122-10000'],
  ['261122-0007', '2026-11-23', '261123-0001'],
];
for (const [last, day, next] of NUMBERS) {
  test(`receipts: after ${last || 'none'} comes ${next}`, () => assert.equal(nextNumber(last, day), next));
}

const DAYS: [string, string][] = [
  ['2026-11-22T19:59:59Z', '2026-11-22'],
  ['2026-11-22T20:00:00Z', '2026-11-23'],
  ['2026-11-22T14:00:00Z', '2026-11-22'],
];
for (const [instant, day] of DAYS) {
  test(`business day: ${instant} is of ${day}`, () => assert.equal(businessDay(Date.parse(instant), SETTINGS), day));
}
