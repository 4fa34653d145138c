import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextIssuedAt } from './issued-at.ts';

test('however quickly texts are made, no two are of one second, and none is far ahead', () => {
  let now = 1_000;
  let last = 0;
  const made: number[] = [];
  while (made.length < 20) {
    const next = nextIssuedAt(now, last);
    // The clock goes on.
    if (next === undefined) {
      now += 1;
      continue;
    }
    assert.ok(next >= now && next <= now + 5, `${next} at ${now}`);
    made.push(next);
    last = next;
  }
  assert.equal(new Set(made).size, made.length);
  assert.deepEqual(made.slice(0, 6), [1_000, 1_001, 1_002, 1_003, 1_004, 1_005]);
});

test('texts of a clock that was an hour fast are not waited for', () => {
  assert.equal(nextIssuedAt(1_000, 4_600), 1_000);
});
