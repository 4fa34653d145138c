import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { noticeOf } from './happenings.ts';
import { EventParser, follow } from './stream.ts';

const TEXT =
  ': heartbeat\n\nevent: hello\nid: 12\ndata: {"a":1}\n\nid: 13\r\ndata: one\r\ndata:two\r\n\r\nevent: empty\n\n';
const MESSAGES = [
  { event: 'hello', data: '{"a":1}', id: '12' },
  { event: 'message', data: 'one\ntwo', id: '13' },
];

test('a stream is the same messages however it is cut', () => {
  for (let size = 1; size <= TEXT.length; size += 1) {
    const parser = new EventParser();
    const found = [];
    for (let at = 0; at < TEXT.length; at += size) found.push(...parser.push(TEXT.slice(at, at + size)));
    assert.deepEqual(found, MESSAGES, `pieces of ${size}`);
  }
});

test('events become notices with the numbers that matter', () => {
  const event = { id: 'e', time: '2026-11-22T04:00:05Z' };
  assert.deepEqual(
    noticeOf({
      ...event,
      type: 'purchase.completed',
      data: {
        channel: 'store',
        store_id: 'shibuya',
        points_earned: 25,
        points_redeemed: 100,
        earned: [{ points: 20, pending_until: '2026-11-23' }, { points: 5 }],
        receipt: { number: 'R-1', total: 2064 },
      },
    }),
    {
      id: 'e',
      at: event.time,
      kind: 'purchase',
      used: 100,
      earned: 25,
      pending: 20,
      store: 'shibuya',
      total: 2064,
      receipt: 'R-1',
    },
  );
  const adjusted = (direction: string) =>
    noticeOf({ ...event, type: 'points.adjusted', data: { direction, points: 5 } });
  assert.equal(adjusted('grant')?.kind, 'granted');
  assert.equal(adjusted('take')?.kind, 'taken');
  assert.equal(noticeOf({ ...event, type: 'something.new', data: {} }), undefined);
});

test('a stream that ends at once is asked for again after a while, not without a pause', async () => {
  const page = new EventTarget();
  Object.assign(globalThis, {
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page),
  });
  mock.timers.enable({ apis: ['setTimeout'] });
  const stop = new AbortController();
  let asked = 0;
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  try {
    const followed = follow(
      {
        open: async () => {
          asked += 1;
          return new Response('');
        },
        position: () => undefined,
        message: () => undefined,
        connected: () => undefined,
        final: () => false,
      },
      stop.signal,
    );
    for (const times of [1, 2, 3]) {
      await settled();
      mock.timers.tick(999);
      await settled();
      assert.equal(asked, times);
      mock.timers.tick(1);
    }
    stop.abort();
    await followed;
  } finally {
    mock.timers.reset();
  }
});
