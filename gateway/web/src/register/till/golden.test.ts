// The golden messages of the protocol: what this till writes and reads is what the gateway and the Rust client write and read.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { language } from '../../kit/i18n.ts';
import { declineWords, verdictWords } from '../verdict-words.ts';
import { type Ask, type Receipt, requestOf } from './ask.ts';
import { type Json, type Operation, type Request, read } from './message.ts';
import { TOTAL_FIELDS } from './totals.ts';

const PROTOCOL = join(import.meta.dirname, '..', '..', '..', '..', '..', 'pos-protocol');

interface Golden {
  about: string;
  request: { method: string; path: string; body?: Json };
  answer: { status: number; body: Json };
}

const messages = readdirSync(join(PROTOCOL, 'golden'))
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({ name, ...(JSON.parse(readFileSync(join(PROTOCOL, 'golden', name), 'utf8')) as Golden) }));

const OPERATIONS: [RegExp, Operation][] = [
  [/\/inquiries$/, 'inquiry'],
  [/\/authorizations$/, 'authorization'],
  [/\/void$/, 'void'],
  [/\/purchases$/, 'purchase'],
  [/\/refund-quotes$/, 'refund_quote'],
  [/\/refunds$/, 'refund'],
  [/\/reversals$/, 'reversal'],
  [/\/settlements$/, 'settlement'],
];

const posted = messages.flatMap((message) => {
  const { method, path, body } = message.request;
  const operation = OPERATIONS.find(([shape]) => shape.test(path))?.[1];
  return method === 'POST' && body && operation && message.answer.status === 200
    ? [{ ...message, operation, body }]
    : [];
});

test('golden: there are messages of every kind', () => {
  assert.deepEqual(new Set(posted.map((each) => each.operation)).size, OPERATIONS.length);
});

for (const { name, request, operation, body, answer } of posted) {
  test(`golden: ${name} is read`, () => {
    const id = String(body['request_id']);
    const sent: Request = { request_id: id, at: '', operation, path: request.path, body };
    const reading = read(sent, answer.body);
    assert.ok(reading, 'not understood');
    assert.equal('approved' in reading ? 'approved' : 'declined', answer.body['outcome']);
    assert.equal(read({ ...sent, request_id: 'another' }, answer.body), undefined);
  });

  test(`golden: ${name} is what this till would send`, () => {
    const ask = askOf(operation, request.path, body);
    const made = requestOf(ask, String(body['request_id']), '', body['totals'] as never);
    assert.equal(made.path, request.path);
    // This till holds points first and makes its advices from sales, so those two come by another way.
    const { redeem_points: _, advice: __, ...plain } = body;
    assert.deepEqual(made.body, plain);
  });
}

function askOf(operation: Operation, path: string, body: Json): Ask {
  const [basketId, id] = [String(body['basket_id']), path.split('/')[4] ?? ''];
  const scan = { text: String(body['card']), at: '' };
  switch (operation) {
    case 'inquiry':
      return { ask: 'inquiry', basketId, scan };
    case 'authorization':
      return { ask: 'authorization', basketId, scan, points: Number(body['points']) };
    case 'void':
      return { ask: 'void', basketId, authorizationId: id };
    case 'purchase': {
      const authorizationId = body['authorization_id'] as string | undefined;
      return { ask: 'purchase', basketId, scan, authorizationId, receipt: body['receipt'] as Receipt };
    }
    case 'refund':
    case 'refund_quote':
      return { ask: operation, purchaseId: id, lines: body['lines'] as never };
    case 'reversal':
      return { ask: 'reversal', originalRequestId: String(body['original_request_id']) };
    case 'settlement':
      return { ask: 'settlement', businessDate: String(body['business_date']), anyway: false };
  }
}

test('golden: a settlement has the fields that this till adds up', () => {
  const settlement = posted.find((each) => each.operation === 'settlement');
  assert.deepEqual(Object.keys(settlement?.body['totals'] as Json), [...TOTAL_FIELDS]);
});

test('words: every reason of the gateway has its own, in both languages', () => {
  const source = readFileSync(join(PROTOCOL, 'src', 'response_code.rs'), 'utf8');
  const reasons = [...source.matchAll(/^\s+\w+ = "(\w+)" =>/gm)].map(([, reason]) => reason ?? '');
  assert.ok(reasons.length > 20, `${reasons.length} reasons`);
  for (const spoken of ['ja', 'en'] as const) {
    language.value = spoken;
    const otherwise = declineWords({ reason: 'no_such_reason' }, 'purchase');
    for (const reason of reasons) assert.notEqual(declineWords({ reason }, 'purchase'), otherwise, reason);
  }
});

test('words: an unknown outcome is never worded as a decline', () => {
  const why = { is: 'no_answer' } as const;
  for (const spoken of ['ja', 'en'] as const) {
    language.value = spoken;
    for (const [, operation] of OPERATIONS) {
      for (const undoing of [true, false]) {
        const said = verdictWords({ verdict: 'not_asked', why, undoing }, operation);
        assert.doesNotMatch(said, /declined|承認されません|拒否/i);
      }
      assert.doesNotMatch(verdictWords({ verdict: 'queued', why }, operation), /declined|承認されません|拒否/i);
    }
  }
});
