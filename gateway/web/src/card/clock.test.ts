import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { GatewayClock } from './clock.ts';

const HOUR = 3_600_000;
/** What time it really is, and what the phone shows. */
let time = { true_ms: 0, wrong_ms: 0, asleep_ms: 0 };
beforeEach(() => {
  time = { true_ms: 1_800_000_000_000, wrong_ms: 0, asleep_ms: 0 };
});

const sources = { wall: () => time.true_ms + time.wrong_ms, steady: () => time.true_ms - time.asleep_ms };

function told(clock: GatewayClock, took_ms = 100): void {
  const asked_at = sources.wall();
  time.true_ms += took_ms / 2;
  const server_ms = time.true_ms;
  time.true_ms += took_ms / 2;
  clock.learn(server_ms, asked_at, sources.wall());
}

function off(clock: GatewayClock): number {
  return Math.abs(clock.now() - time.true_ms);
}

test('a clock that is an hour wrong is set right by one answer', () => {
  for (const wrong_ms of [HOUR, -HOUR, 0]) {
    time.wrong_ms = wrong_ms;
    const clock = new GatewayClock(sources);
    assert.equal(clock.trust, 'unsure');
    told(clock);
    assert.equal(clock.trust, 'sure');
    assert.ok(off(clock) < 1);
    assert.equal(Math.round(clock.phone_ahead_ms / 1000), wrong_ms / 1000);
  }
});

test('a clock that is set while the page is shown does not matter', () => {
  const clock = new GatewayClock(sources);
  told(clock);
  for (const step of [HOUR, -2 * HOUR, 30_000]) {
    time.true_ms += 1_000;
    time.wrong_ms += step;
    assert.ok(off(clock) < 1, `set by ${step}`);
    // Forward it may as well have been a sleep that nobody told of.
    assert.equal(clock.trust, step > 0 ? 'unsure' : 'sure');
    told(clock);
  }
});

test('a phone that slept goes on with what it knew', () => {
  const clock = new GatewayClock(sources);
  told(clock);
  for (const nap_ms of [10 * 60_000, 8 * HOUR]) {
    clock.hide();
    // The page writes the offset down and shows it, both after it was hidden: see `live.ts`.
    clock.keep();
    assert.equal(clock.trust, nap_ms === 8 * HOUR ? 'kept' : 'sure');
    time.true_ms += 30;
    // An answer that was still under way.
    assert.ok(off(clock) < 1);
    for (let woken = 0; woken < 3; woken += 1) {
      time.true_ms += nap_ms;
      time.asleep_ms += nap_ms;
      // Woken for a moment, still hidden.
      if (woken < 2) assert.ok(off(clock) < 1);
    }
    clock.show();
    assert.equal(clock.trust, 'kept');
    assert.ok(off(clock) < 1);
    assert.ok(Math.abs(clock.keep().offset_ms) < 1);
  }
  // Once the page is shown, a step is a clock that was set.
  time.true_ms += 1_000;
  time.wrong_ms -= HOUR;
  assert.ok(off(clock) < 1);
});

test('a lid that was closed with no word to the page is at least not trusted', () => {
  const clock = new GatewayClock(sources);
  told(clock);
  time.true_ms += 8 * HOUR;
  time.asleep_ms += 8 * HOUR;
  assert.equal(clock.trust, 'unsure');
  const next = new GatewayClock(sources);
  next.resume(clock.keep());
  assert.equal(next.trust, 'unsure');
  told(clock);
  assert.equal(clock.trust, 'sure');
  assert.ok(off(clock) < 1);
});

test('an answer that was under way while the phone slept tells no time', () => {
  const clock = new GatewayClock(sources);
  told(clock);
  const asked_at = sources.wall();
  const server_ms = time.true_ms;
  clock.hide();
  time.true_ms += HOUR;
  time.asleep_ms += HOUR;
  clock.show();
  clock.learn(server_ms, asked_at, sources.wall());
  assert.ok(off(clock) < 1);
  assert.equal(clock.trust, 'kept');
});

test('a clock that went back unseen is not trusted until the gateway says the time', () => {
  const clock = new GatewayClock(sources);
  told(clock);
  clock.hide();
  time.true_ms += 60_000;
  clock.show();
  time.wrong_ms -= HOUR;
  assert.equal(clock.trust, 'unsure');
  told(clock);
  assert.equal(clock.trust, 'sure');
  assert.ok(off(clock) < 1);

  const kept = clock.keep();
  time.wrong_ms -= HOUR;
  const next = new GatewayClock(sources);
  next.resume(kept);
  assert.equal(next.trust, 'unsure');
});

test('what was kept is good without a network', () => {
  time.wrong_ms = HOUR;
  const clock = new GatewayClock(sources);
  told(clock);
  const kept = clock.keep();
  time.true_ms += 24 * HOUR;
  const next = new GatewayClock(sources);
  next.resume(kept);
  assert.equal(next.trust, 'kept');
  assert.ok(off(next) < 1);
});

test('a slow answer does not spoil what a quick one told, unless it contradicts it', () => {
  const clock = new GatewayClock(sources);
  told(clock, 20);
  const asked_at = sources.wall();
  time.true_ms += 4_000;
  // All of the time was on the way back.
  clock.learn(asked_at, asked_at, sources.wall());
  assert.ok(off(clock) < 20);
  clock.learn(time.true_ms + HOUR, sources.wall(), sources.wall());
  assert.ok(Math.abs(clock.now() - time.true_ms - HOUR) < 1);
});
