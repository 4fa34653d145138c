// What the gateway asks a till to wait is capped: a timer of the browser ends at 2^31 ms and goes off at once beyond.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { SETTINGS } from './settings.ts';
import { Wire } from './wire.ts';

const fetched = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = fetched;
});

/** A gateway that gives a token, or not, and is busy with everything else. */
function busy(at: 'token' | 'request', seconds: string): void {
  globalThis.fetch = async (input) => {
    const isToken = String(input).endsWith('/oauth/token');
    if (isToken && at === 'request') return Response.json({ access_token: 't', expires_in: 600 });
    const body = JSON.stringify({ type: '/problems/rate_limited', title: 'x', status: 429, detail: 'x' });
    return new Response(body, {
      status: 429,
      headers: { 'content-type': 'application/problem+json', 'retry-after': seconds },
    });
  };
}

for (const at of ['token', 'request'] as const) {
  for (const [seconds, ms] of [
    ['3', 3_000],
    ['2147484', SETTINGS.backoffMax],
  ] as const) {
    test(`wire: Retry-After ${seconds} at the ${at} is ${ms} ms`, async () => {
      busy(at, seconds);
      const wire = new Wire({ clientId: 'c', clientSecret: 's' }, SETTINGS, () => 0);
      const reply = await wire.exchange({ number: 1, requestId: 'r' });
      assert.equal('retryAfter' in reply ? reply.retryAfter : undefined, ms);
    });
  }
}
