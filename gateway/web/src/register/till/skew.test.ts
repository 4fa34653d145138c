import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Skew } from './skew.ts';

/** What a gateway `ahead` milliseconds of the till answers, asked at `sent` for `trip` milliseconds. */
function hear(skew: Skew, ahead: number, sent: number, trip: number): void {
  const there = 1_800_000_000_000 + sent + trip / 2 + ahead;
  skew.heard(Math.floor(there / 1_000) * 1_000, 1_800_000_000_000 + sent, 1_800_000_000_000 + sent + trip);
}

test('skew: a clock that may be right is left alone', () => {
  const skew = new Skew();
  for (let sent = 0; sent < 10_000; sent += 370) {
    hear(skew, 0, sent, 40);
    assert.deepEqual([skew.correction, skew.wrongBySeconds], [0, 0]);
  }
});

for (const ahead of [-3_600_000, -31_415, 4_321, 90_000]) {
  test(`skew: many answers tell ${ahead} ms closely`, () => {
    const skew = new Skew();
    for (let sent = 0; sent < 60_000; sent += 1_370) hear(skew, ahead, sent, 30);
    assert.ok(Math.abs(skew.correction - ahead) <= 60, `${skew.correction}`);
    assert.equal(skew.wrongBySeconds, Math.round(skew.correction / 1_000));
  });
}

test('skew: a clock that is set starts anew', () => {
  const skew = new Skew();
  hear(skew, 90_000, 0, 30);
  hear(skew, 0, 3_000, 30);
  assert.equal(skew.correction, 0);
  skew.heard(Number.NaN, 0, 0);
  assert.equal(skew.correction, 0);
});
