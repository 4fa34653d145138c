// Scenes from the tables of docs/till.md and docs/till-client.md: a machine, a disk that may fail, a gateway that may be away, and a line
// that loses what the scene says. No clock but the scene's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ask, Receipt } from './ask.ts';
import { Book } from './book.ts';
import type { Entry, Json, Request } from './message.ts';
import { Protocol } from './protocol.ts';
import { type Moment, SETTINGS, timestamp } from './settings.ts';
import type { Exchange, Notice, Reply } from './step.ts';
import { totalsOf } from './totals.ts';
import { untold } from './untold.ts';
import type { Verdict } from './verdict.ts';

const DAY = '2026-11-22';
const START = Date.parse(`${DAY}T03:00:00Z`);

/** The gateway's half, as far as the till can tell: one request id, one effect, one answer. */
class FakeGateway {
  readonly answers = new Map<string, { body: string; answer: Json }>();
  readonly dead = new Set<string>();
  readonly live = new Map<string, number>();
  /** The reason with which it declines the next request of a kind. */
  decline: Partial<Record<string, string>> = {};

  post(request: Request): Reply {
    const body = JSON.stringify(request.body);
    const stored = this.answers.get(request.request_id);
    if (stored && stored.body !== body) return problem(422, 'request_id_reused');
    const answer = stored?.answer ?? { request_id: request.request_id, ...this.#decide(request) };
    this.answers.set(request.request_id, { body, answer });
    return { reply: 'http', status: 200, body: answer };
  }

  ask(requestId: string): Reply {
    const stored = this.answers.get(requestId);
    return stored ? { reply: 'http', status: 200, body: stored.answer } : problem(404, 'unknown_resource');
  }

  #decide({ operation, body, request_id }: Request): Json {
    const reason = body['advice'] === undefined ? this.decline[operation] : this.decline['advice'];
    if (this.dead.has(request_id)) return { outcome: 'declined', response_code: '12', reason: 'reversed' };
    if (reason) return { outcome: 'declined', response_code: '05', reason };
    const approved = { outcome: 'approved', response_code: '00' };
    switch (operation) {
      case 'inquiry':
        return { ...approved, member: { display_name: 'M' }, points: { available: 500, spendable: 500 } };
      case 'authorization':
        this.live.set(request_id, Number(body['points']));
        return { ...approved, authorization: { id: `hold-${request_id}`, points: body['points'] } };
      case 'purchase':
        this.live.set(request_id, 1);
        return {
          ...approved,
          purchase: { id: `p-${request_id}`, points_redeemed: 0, points_earned: 10, earned: [] },
        };
      case 'reversal': {
        const original = String(body['original_request_id']);
        this.dead.add(original);
        const effect = this.live.delete(original) ? 'refunded' : 'nothing_to_reverse';
        const refund = { amount: 1080, points_restored: 0, points_clawed_back: 10 };
        return { ...approved, effect, ...(effect === 'refunded' ? { refund } : {}) };
      }
      case 'settlement':
        return { ...approved, differences: [] };
      default:
        return { ...approved, refund: { amount: 1080, points_restored: 0, points_clawed_back: 10 } };
    }
  }
}

function problem(status: number, word: string): Reply {
  return { reply: 'http', status, body: { type: `/problems/${word}`, detail: 'why' } };
}

/** How the line treats an exchange. */
type LineMode = 'works' | 'loses_requests' | 'loses_answers' | 'not_sent' | { reply: Reply };

class World {
  readonly gateway = new FakeGateway();
  readonly disk: Entry[] = [];
  readonly told = new Map<number, Verdict>();
  readonly notices: Notice[] = [];
  readonly sent: Exchange[] = [];
  line: LineMode = 'works';
  diskFails = false;
  uptime = 1_000;
  machine: Protocol;
  #noise = 0;
  #tickets = 0;

  constructor() {
    this.machine = this.#start();
  }

  #start(): Protocol {
    const owner = { client_id: 'till-1', gateway: 'http://gateway' };
    return new Protocol(SETTINGS, Book.of(this.disk), owner, this.now());
  }

  /** Power off, power on. */
  restart(): void {
    this.machine = this.#start();
    this.run();
  }

  now(): Moment {
    this.#noise += 1;
    const noise = (0x1000_0000_0000 + this.#noise * 0x9e37_79b9).toString(16).padStart(16, '0');
    return { at: START + this.uptime, uptime: this.uptime, noise };
  }

  order(ask: Ask): number {
    this.#tickets += 1;
    this.machine.order(this.now(), this.#tickets, ask);
    this.run();
    return this.#tickets;
  }

  /** Everything that is due now. */
  run(): void {
    for (;;) {
      const step = this.machine.next(this.now());
      if (step.step === 'wait') return;
      if (step.step === 'write') this.#write(step.entries);
      if (step.step === 'tell') this.told.set(step.ticket, step.verdict);
      if (step.step === 'notice') this.notices.push(step.notice);
      if (step.step === 'send') this.#send(step.exchange);
    }
  }

  #write(entries: Entry[]): void {
    if (this.diskFails) {
      this.machine.unwritten(this.now(), 'disk full');
      return;
    }
    this.disk.push(...(JSON.parse(JSON.stringify(entries)) as Entry[]));
    this.machine.written(this.now());
  }

  #send(exchange: Exchange): void {
    const { request, requestId } = exchange;
    if (request) {
      const written = this.disk.some((entry) => entry.entry === 'request' && entry.request_id === requestId);
      assert.ok(written, 'sent before it was written');
    }
    this.sent.push(exchange);
    this.machine.replied(this.now(), exchange, this.#reply(exchange));
  }

  #reply({ request, requestId }: Exchange): Reply {
    if (typeof this.line === 'object') return this.line.reply;
    if (this.line === 'not_sent') return { reply: 'not_sent' };
    if (this.line === 'loses_requests') return { reply: 'lost' };
    const reply = request ? this.gateway.post(request) : this.gateway.ask(requestId);
    return this.line === 'loses_answers' ? { reply: 'lost' } : reply;
  }

  wait(ms: number): void {
    for (const end = this.uptime + ms; this.uptime < end; ) {
      this.uptime += 50;
      this.run();
    }
  }

  kinds(): string[] {
    return this.sent.map((exchange) => exchange.request?.operation ?? 'status');
  }
}

const receipt: Receipt = {
  number: 'R-1',
  business_date: DAY,
  occurred_at: timestamp(START),
  lines: [{ line_no: 1, sku: 's', name: 'n', category: 'c', quantity: 1, amount: 1080, tax_rate: 8 }],
  total: 1080,
  tax: 80,
};
const scan = { text: '7001', at: timestamp(START) };
const sale = (basketId = 'b-1', authorizationId?: string): Ask => ({
  ask: 'purchase',
  basketId,
  scan,
  authorizationId,
  receipt,
});
const hold = (points = 100): Ask => ({ ask: 'authorization', basketId: 'b-1', scan, points });
const inquiry: Ask = { ask: 'inquiry', basketId: 'b-1', scan };
const verdict = (world: World, ticket: number) => world.told.get(ticket)?.verdict;

/** What giving up does to each kind: the verdict, and what the journal says then. */
const GIVEN_UP: [string, Ask, LineMode, Verdict['verdict'], Entry['entry'], string?][] = [
  ['an inquiry is forgotten', inquiry, 'loses_requests', 'not_asked', 'dropped'],
  ['a quote is forgotten', { ask: 'refund_quote', purchaseId: 'p' }, 'loses_requests', 'not_asked', 'dropped'],
  [
    'a settlement is forgotten',
    { ask: 'settlement', businessDate: DAY, anyway: false },
    'loses_requests',
    'not_asked',
    'dropped',
  ],
  ['a hold is reversed', hold(), 'loses_requests', 'not_asked', 'request', 'reversal'],
  ['a hold that never left is dropped', hold(), 'not_sent', 'not_asked', 'dropped'],
  ['a sale that earns is kept', sale(), 'loses_requests', 'queued', 'kept'],
  ['a sale that never left becomes an advice', sale(), 'not_sent', 'queued', 'request', 'purchase'],
  ['a sale that captures a hold is kept', sale('b-1', 'hold-x'), 'loses_requests', 'queued', 'kept'],
  ['a refund is kept', { ask: 'refund', purchaseId: 'p' }, 'loses_requests', 'queued', 'kept'],
  ['a void is kept', { ask: 'void', basketId: 'b-1', authorizationId: 'h' }, 'loses_requests', 'queued', 'kept'],
];

for (const [name, ask, line, expected, entry, operation] of GIVEN_UP) {
  test(`protocol: at the deadline ${name}`, () => {
    const world = new World();
    world.line = line;
    const ticket = world.order(ask);
    assert.equal(verdict(world, ticket), undefined, 'told before the deadline');
    world.wait(SETTINGS.deadline + 100);
    assert.equal(verdict(world, ticket), expected);
    const last = world.disk.at(-1);
    assert.equal(last?.entry, entry);
    if (last?.entry === 'request') assert.equal(last.operation, operation);
  });
}

test('protocol: after a lost answer the till asks, and takes the stored one', () => {
  const world = new World();
  world.line = 'loses_answers';
  const ticket = world.order(sale());
  world.line = 'works';
  world.wait(500);
  assert.equal(verdict(world, ticket), 'approved');
  assert.deepEqual(world.kinds(), ['purchase', 'status']);
  assert.equal(world.gateway.live.size, 1);
});

test('protocol: after a lost request the till asks, and sends the same again', () => {
  const world = new World();
  world.line = 'loses_requests';
  const ticket = world.order(sale());
  world.line = 'works';
  world.wait(500);
  assert.equal(verdict(world, ticket), 'approved');
  const posts = world.sent.filter((exchange) => exchange.request);
  assert.deepEqual(world.kinds(), ['purchase', 'status', 'purchase']);
  assert.deepEqual(posts[0]?.request, posts[1]?.request);
});

test('protocol: a hold whose answer was lost is undone before the sale of the same basket goes', () => {
  const world = new World();
  world.line = 'loses_answers';
  const held = world.order(hold());
  world.wait(SETTINGS.deadline + 100);
  assert.deepEqual(world.told.get(held), { verdict: 'not_asked', why: { is: 'no_answer' }, undoing: true });
  const sold = world.order(sale());
  assert.equal(verdict(world, sold), 'queued', 'the gateway is away: it is queued at once');
  world.line = 'works';
  world.sent.length = 0;
  world.wait(SETTINGS.backoffMax + 1_000);
  const posts = world.kinds().filter((kind) => kind !== 'status');
  assert.deepEqual(posts, ['reversal', 'purchase']);
  assert.equal(world.gateway.live.size, 1);
  assert.equal(world.machine.book.unsettled, 0);
});

test('protocol: a reversal is repeated until it is acknowledged, and never twice in effect', () => {
  const world = new World();
  world.line = 'loses_answers';
  world.order(hold());
  world.wait(SETTINGS.backoffMax * 6);
  const reversals = world.sent.filter((exchange) => exchange.request?.operation === 'reversal');
  assert.ok(reversals.length > 2, `${reversals.length} tries`);
  assert.equal(new Set(reversals.map((exchange) => exchange.requestId)).size, 1);
  world.line = 'works';
  world.wait(SETTINGS.backoffMax + 1_000);
  assert.equal(world.machine.book.unsettled, 0);
  assert.equal(world.gateway.live.size, 0);
});

test('protocol: a basket is sold once, also when its second sale is ordered before the first is durable', () => {
  const world = new World();
  world.machine.order(world.now(), 1, sale());
  world.machine.order(world.now(), 2, sale());
  const step = world.machine.next(world.now());
  assert.equal(step.step, 'tell');
  if (step.step === 'tell') assert.deepEqual(step.verdict, { verdict: 'refused', refusal: { is: 'basket_completed' } });
  const write = world.machine.next(world.now());
  assert.equal(write.step, 'write');
  // While it is being written it is neither ordered any more nor in the book.
  world.machine.order(world.now(), 3, sale());
  if (write.step === 'write') world.disk.push(...write.entries);
  world.machine.written(world.now());
  world.run();
  assert.equal(verdict(world, 1), 'approved');
  assert.equal(verdict(world, 3), 'refused');
  assert.equal(world.gateway.live.size, 1);
});

test('protocol: queued sales catch up, each once and in order per basket', () => {
  const world = new World();
  world.line = 'not_sent';
  const tickets = ['b-1', 'b-2', 'b-3'].map((basket) => {
    const ticket = world.order(sale(basket));
    world.wait(SETTINGS.deadline + 100);
    return ticket;
  });
  assert.deepEqual(
    tickets.map((ticket) => verdict(world, ticket)),
    ['queued', 'queued', 'queued'],
  );
  world.line = 'works';
  world.wait(SETTINGS.backoffMax + 1_000);
  assert.equal(world.gateway.live.size, 3);
  assert.equal(world.machine.book.unsettled, 0);
  const advices = world.sent.filter((exchange) => exchange.request?.body['advice']);
  assert.deepEqual(advices.at(-1)?.request?.body['advice'], { scanned_at: scan.at });
  assert.equal(totalsOf(world.machine.book, DAY, SETTINGS).purchases, 3);
});

/** A kept sale declined late: which declines an advice may cure. */
const LATE: [string, boolean][] = [
  ['card_text_expired', true],
  ['hold_expired', true],
  ['business_date_not_open', true],
  ['card_already_used', false],
  ['insufficient_points', false],
];
for (const [reason, cured] of LATE) {
  test(`protocol: a kept sale declined late for ${reason} ${cured ? 'becomes an advice' : 'is the end'}`, () => {
    const world = new World();
    world.line = 'loses_requests';
    world.order(sale());
    world.wait(SETTINGS.deadline + 100);
    world.gateway.decline = { purchase: reason };
    world.line = 'works';
    world.wait(SETTINGS.backoffMax + 1_000);
    const settled = world.notices.find((notice) => notice.notice === 'settled');
    assert.equal(settled?.notice === 'settled' && settled.verdict.verdict, cured ? 'approved' : 'declined');
    assert.equal(world.gateway.live.size, cured ? 1 : 0);
    assert.equal(world.machine.book.unsettled, 0);
  });
}

/** Answers that are none: the outcome is unknown, and never told as a decline. */
const UNKNOWN: [string, Reply][] = [
  ['503', problem(503, 'unavailable')],
  ['503 outcome_unknown', problem(503, 'outcome_unknown')],
  ['500', problem(500, 'fault')],
  ['a page of HTML with 200', { reply: 'http', status: 200, body: undefined }],
  ['another request’s answer', { reply: 'http', status: 200, body: { request_id: 'x', outcome: 'declined' } }],
  ['409', problem(409, 'in_progress')],
];
for (const [name, reply] of UNKNOWN) {
  test(`protocol: ${name} is no decline`, () => {
    const world = new World();
    world.line = { reply };
    const ticket = world.order(sale());
    world.wait(SETTINGS.deadline + 100);
    assert.equal(verdict(world, ticket), 'queued');
    world.line = 'works';
    world.wait(SETTINGS.backoffMax * 2);
    assert.equal(world.gateway.live.size, 1);
  });
}

test('protocol: a till that the gateway refuses says so at once, and loses no sale', () => {
  const world = new World();
  world.line = { reply: { reply: 'operator', what: 'invalid_client' } };
  const ticket = world.order(sale());
  assert.deepEqual(world.told.get(ticket), { verdict: 'queued', why: { is: 'operator', what: 'invalid_client' } });
  world.line = 'works';
  world.wait(SETTINGS.backoffMax + 1_000);
  assert.equal(world.gateway.live.size, 1);
});

test('protocol: a malformed message is a defect, told as such', () => {
  const world = new World();
  world.line = { reply: problem(422, 'validation_failed') };
  const ticket = world.order(sale());
  assert.equal(verdict(world, ticket), 'refused');
  assert.equal(world.machine.book.unsettled, 0);
});

test('protocol: an id that is taken is renamed, not declined', () => {
  const world = new World();
  world.line = { reply: problem(422, 'request_id_reused') };
  world.gateway.decline = {};
  const machineNext = world.order(inquiry);
  assert.equal(verdict(world, machineNext), 'refused', 'four names in a row are a defect');
  assert.equal(world.notices.filter((notice) => notice.notice === 'request_id_taken').length, 3);
});

test('protocol: Retry-After holds everybody back', () => {
  const world = new World();
  world.line = { reply: { reply: 'http', status: 429, body: { type: '/problems/rate_limited' }, retryAfter: 3_000 } };
  const first = world.order(inquiry);
  world.line = 'works';
  const second = world.order({ ...inquiry, basketId: 'b-2' } as Ask);
  world.wait(2_000);
  assert.deepEqual([verdict(world, first), verdict(world, second)], [undefined, undefined]);
  world.wait(1_500);
  assert.deepEqual([verdict(world, first), verdict(world, second)], ['approved', 'approved']);
});

test('protocol: without its journal the till sends nothing', () => {
  const world = new World();
  world.diskFails = true;
  const ticket = world.order(hold());
  assert.equal(verdict(world, ticket), 'refused');
  assert.equal(world.sent.length, 0);
});

test('protocol: an approval that cannot be written down is not told', () => {
  const world = new World();
  world.line = 'loses_answers';
  const ticket = world.order(hold());
  world.diskFails = true;
  world.line = 'works';
  world.wait(SETTINGS.deadline + 100);
  assert.equal(verdict(world, ticket), 'not_asked');
  world.diskFails = false;
  world.wait(SETTINGS.backoffMax);
  assert.equal(world.gateway.live.size, 0, 'the hold was undone');
});

/** Killed after each write of a sale with points: after the next start one sale is there, or none, and no hold lingers. */
test('protocol: killed at any point, nothing is lost and nothing doubled', () => {
  for (let kept = 0; kept < 12; kept += 1) {
    const world = new World();
    world.order(hold());
    const id = [...world.gateway.live.keys()][0];
    world.line = kept % 2 ? 'loses_answers' : 'works';
    world.order(sale('b-1', `hold-${id}`));
    world.disk.length = Math.min(kept, world.disk.length);
    const written = world.disk.filter((entry) => entry.entry === 'request' && entry.operation === 'purchase').length;
    world.line = 'works';
    world.restart();
    world.wait(SETTINGS.backoffMax * 2);
    const sales = [...world.gateway.live.values()].filter((points) => points === 1).length;
    assert.ok(sales >= written && sales <= 1, `${kept} entries: ${sales} sales, ${written} written`);
    assert.equal(world.machine.book.unsettled, 0);
  }
});

test('protocol: after a crash an open hold is given up, and a sale counts and is shown', () => {
  const world = new World();
  world.line = 'loses_requests';
  world.order(sale());
  assert.deepEqual(
    untold(Book.of(world.disk)).map((left) => [left.receiptNumber, left.verdict.verdict]),
    [['R-1', 'queued']],
  );
  world.line = 'works';
  world.restart();
  world.wait(SETTINGS.backoffMax);
  assert.equal(world.gateway.live.size, 1);
});

test('protocol: a sale undone is learned, so that the day agrees', () => {
  const world = new World();
  world.line = 'loses_answers';
  world.order(sale());
  const original = world.sent[0]?.requestId ?? '';
  const undone = world.order({ ask: 'reversal', originalRequestId: original });
  world.line = 'works';
  world.wait(SETTINGS.backoffMax * 2);
  assert.ok(['approved', 'queued'].includes(verdict(world, undone) ?? ''));
  assert.equal(world.machine.book.unsettled, 0);
  const totals = totalsOf(world.machine.book, DAY, SETTINGS);
  assert.deepEqual([totals.purchases, totals.refunds, totals.points_clawed_back], [1, 1, 10]);
});

test('protocol: a basket is sold once, and a day is not settled while its requests are open', () => {
  const world = new World();
  world.line = 'not_sent';
  world.order(sale());
  world.wait(SETTINGS.deadline + 100);
  const again = world.order(sale());
  assert.deepEqual(world.told.get(again), { verdict: 'refused', refusal: { is: 'basket_completed' } });
  const settle = world.order({ ask: 'settlement', businessDate: DAY, anyway: false });
  assert.deepEqual(world.told.get(settle), { verdict: 'refused', refusal: { is: 'unsettled', count: 1 } });
});
