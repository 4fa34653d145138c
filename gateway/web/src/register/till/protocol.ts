// The till's half of the protocol as a machine without I/O; mirrors `pos-protocol/src/client/machine`.
//
// Orders, replies and moments go in; steps come out: entries to make durable, requests to send, verdicts to tell. The driver
// (`keeper.ts`) carries a step out before it asks for the next one.
//
// Invariants:
// - A request is sent only after its entry is durable.
// - An approval is told only after it is durable. One that cannot be written down counts as lost and is asked for again.
// - What was told to count is in the journal, and is repeated until the gateway has answered it.
// - Requests of one basket are sent in the order in which they were written: a reversal goes before the sale rung up instead.
// - The book changes only by durable entries. All else here may be forgotten in a crash: a request that nobody waits for any more is
//   given up the way its kind asks for.

import { type Ask, requestOf, violation } from './ask.ts';
import { type Book, declineOf, type Known } from './book.ts';
import { givenUp } from './giving-up.ts';
import { Line } from './line.ts';
import { fresh, type Live, mayArrive, mayHaveArrived, resumed } from './live.ts';
import { meaningOf } from './meaning.ts';
import {
  adviceMayCure,
  asAdvice,
  type Entry,
  type GiveUp,
  giveUp,
  isNamedBy,
  type Json,
  type Opened,
  type Owner,
  type Reading,
  type Request,
  read,
  renamed,
  reverses,
} from './message.ts';
import { Names } from './names.ts';
import { nextToSend, wakesAt } from './queue.ts';
import { type Moment, type Settings, timestamp } from './settings.ts';
import type { Exchange, Notice, Reply, Step } from './step.ts';
import { totalsOf, unsettledOn } from './totals.ts';
import type { Refusal, Verdict, Why } from './verdict.ts';

type What =
  | { answer: Json; reading: Reading }
  | { refused: { problem: string; detail: string } }
  | { taken: true }
  | { gone: true };

interface Pending {
  entries: Entry[];
  /** What follows once they are durable. */
  done(now: Moment): void;
  /** What follows if they could not be made so. */
  failed?(now: Moment, why: string): void;
}

/** How often a request may find its id taken before that counts as a defect. */
const RENAMED_MAX = 3;

export class Protocol {
  readonly book: Book;
  readonly settings: Settings;
  readonly #line = new Line();
  readonly #live = new Map<string, Live>();
  #names: Names;
  /** Names that have to be written down before they are used. */
  #newNames: Opened | undefined;
  #ready: Step[] = [];
  #orders: { ticket: number; ask: Ask }[] = [];
  #arrived: { id: string; what: What }[] = [];
  #pending: Pending | undefined;
  #unwritableUntil: number | undefined;
  #exchanges = 0;

  constructor(settings: Settings, book: Book, owner: Owner, now: Moment) {
    this.settings = settings;
    this.book = book;
    this.#names = new Names(book.opened, owner, now, 'start');
    this.#newNames = this.#names.opened;
    for (const { id } of book.work()) this.#live.set(id, resumed());
  }

  /** Whether the gateway has given no answers for a while. */
  get isAway(): boolean {
    return this.#line.isAway;
  }

  /** What an operator has to mend, if the gateway refuses this till. */
  get operator(): string | undefined {
    return this.#line.operator;
  }

  /** What is known of the open requests in this run, for the connection panel. */
  liveOf(id: string): { waiting: boolean; sending: boolean; tries: boolean; notBefore: number } {
    const live = this.#live.get(id) ?? fresh();
    return {
      waiting: live.waiting !== undefined,
      sending: live.inFlight !== undefined,
      tries: live.pause > 0,
      notBefore: live.notBefore,
    };
  }

  /** A name for a new basket. */
  newBasket(): string {
    return this.#names.basket();
  }

  /** Somebody asks for something and waits for the verdict. */
  order(now: Moment, ticket: number, ask: Ask): void {
    const refusal = this.#refusal(ask);
    if (refusal) {
      this.#tell(ticket, undefined, { verdict: 'refused', refusal });
      return;
    }
    this.#line.nudge(now, this.settings);
    this.#orders.push({ ticket, ask });
  }

  #refusal(ask: Ask): Refusal | undefined {
    if (ask.ask === 'purchase' && this.#hasSale(ask.basketId)) return { is: 'basket_completed' };
    if (ask.ask === 'settlement' && !ask.anyway) {
      const count = unsettledOn(this.book, ask.businessDate, this.settings);
      if (count > 0) return { is: 'unsettled', count };
    }
    const detail = violation(ask);
    return detail === undefined ? undefined : { is: 'malformed', detail };
  }

  /** Whether the basket has its sale, also one that is ordered and not yet durable. */
  #hasSale(basketId: string): boolean {
    const isOrdered = this.#orders.some(({ ask }) => ask.ask === 'purchase' && ask.basketId === basketId);
    const isBeingWritten = this.#pending?.entries.some(
      (entry) => entry.entry === 'request' && entry.operation === 'purchase' && entry.basket_id === basketId,
    );
    return isOrdered || isBeingWritten === true || this.book.hasSale(basketId);
  }

  /** The next thing to do. After a `write` the machine wants to know how it went before it is asked again. */
  next(now: Moment): Step {
    for (;;) {
      const ready = this.#ready.shift();
      if (ready) return ready;
      const entries = this.#nextWrite(now);
      if (entries) return { step: 'write', entries };
      if (this.#ready.length > 0) continue;
      const exchange = this.#nextExchange(now);
      return exchange
        ? { step: 'send', exchange }
        : { step: 'wait', until: wakesAt(this.book, this.#live, this.#line, this.#unwritableUntil, now) };
    }
  }

  /** The entries of the last `write` are durable. */
  written(now: Moment): void {
    const pending = this.#pending;
    if (!pending) return;
    this.#pending = undefined;
    for (const entry of pending.entries) this.book.apply(entry);
    this.#newNames = undefined;
    if (this.#unwritableUntil !== undefined) {
      this.#unwritableUntil = undefined;
      this.#notice({ notice: 'journal_writable' });
    }
    pending.done(now);
  }

  /** They could not be made durable: none of them counts. */
  unwritten(now: Moment, why: string): void {
    const pending = this.#pending;
    if (!pending) return;
    this.#pending = undefined;
    if (this.#unwritableUntil === undefined) this.#notice({ notice: 'journal_unwritable', what: why });
    this.#unwritableUntil = now.uptime + this.settings.unwritablePause;
    pending.failed?.(now, why);
  }

  // ---- What is written, in which order ------------------------------------------------------------------------------------------

  #nextWrite(now: Moment): Entry[] | undefined {
    this.#tellKept(now);
    const ordered = this.#orders.shift();
    let pending: Pending | undefined;
    // An order is tried even while the journal rests: somebody waits.
    if (ordered) pending = this.#writeOrder(now, ordered.ticket, ordered.ask);
    else if (this.#unwritableUntil !== undefined && now.uptime < this.#unwritableUntil) this.#tellUnwritten(now);
    else pending = this.#writeArrived(now) ?? this.#writeUnattended(now);
    if (!pending) return undefined;
    if (this.#newNames) pending.entries.unshift({ entry: 'opened', ...this.#newNames });
    this.#pending = pending;
    return pending.entries;
  }

  #writeOrder(now: Moment, ticket: number, ordered: Ask): Pending {
    let ask = ordered;
    // Under the id that the cashier was told there may be nothing to undo any more.
    if (ask.ask === 'reversal') ask = { ...ask, originalRequestId: this.book.current(ask.originalRequestId) };
    const id = this.#names.request();
    const at = timestamp(now.at);
    const day = ask.ask === 'settlement' ? ask.businessDate : '';
    let request = requestOf(ask, id, at, totalsOf(this.book, day, this.settings));
    const original = reverses(request);
    const basket = original === undefined ? undefined : this.book.find(original)?.request.basket_id;
    if (basket !== undefined) request.basket_id = basket;
    const advice = this.isAway && this.#givesUp(request) === 'keep' ? asAdvice(request, id, at) : undefined;
    if (advice) request = advice;
    return {
      entries: [{ entry: 'request', ...request }],
      done: (now) => {
        if (!advice) return this.#begin(now, id, ticket);
        this.#live.set(id, fresh());
        this.#tell(ticket, id, { verdict: 'queued', why: this.#whyAway() });
      },
      failed: (_, why) =>
        this.#tell(ticket, undefined, { verdict: 'refused', refusal: { is: 'journal_unwritable', detail: why } }),
    };
  }

  #begin(now: Moment, id: string, ticket: number): void {
    const away = this.isAway;
    const until = now.uptime + (away ? this.settings.deadlineAway : this.settings.deadline);
    this.#live.set(id, { ...fresh(), waiting: { ticket, until }, why: away ? this.#whyAway() : undefined });
    // Whoever still waited for a request that is now to be undone waits no longer.
    const known = this.book.find(id);
    const original = known && reverses(known.request);
    const live = original === undefined ? undefined : this.#live.get(original);
    if (original === undefined || !live) return;
    this.#live.delete(original);
    if (live.waiting)
      this.#tell(live.waiting.ticket, original, { verdict: 'not_asked', why: { is: 'busy' }, undoing: true });
  }

  #writeArrived(now: Moment): Pending | undefined {
    for (let arrived = this.#arrived.shift(); arrived; arrived = this.#arrived.shift()) {
      const work = this.book.workOn(arrived.id);
      const pending =
        work === 'send'
          ? this.#writeWord(arrived.id, arrived.what, now)
          : work === 'learn'
            ? this.#writeLearnt(arrived.id, arrived.what, now)
            : undefined;
      if (pending) return pending;
    }
    return undefined;
  }

  /** What the gateway said about a request that is sent. */
  #writeWord(id: string, what: What, now: Moment): Pending | undefined {
    const known = this.book.find(id);
    if (!known || 'gone' in what) return undefined;
    if ('refused' in what) return this.#refuse(id, now, what.refused.problem, what.refused.detail);
    if ('taken' in what) return this.#rename(id, known, now);
    const at = timestamp(now.at);
    const forsaken = known.state.is === 'open' && !this.#isWaitedFor(id);
    const rule = this.#givesUp(known.request);
    const approved = 'approved' in what.reading;
    // It came too late: the cashier was told that it will be undone.
    if (approved && forsaken && rule === 'reverse') return undefined;
    const entries: Entry[] = [];
    // The cashier was told that it counts while that could not be written down.
    if (forsaken && rule === 'keep') entries.push({ entry: 'kept', request_id: id, at });
    entries.push({ entry: 'answer', request_id: id, at, answer: what.answer });
    const verdict: Verdict =
      'approved' in what.reading
        ? { verdict: 'approved', answer: what.reading.approved }
        : { verdict: 'declined', decline: what.reading.declined };
    return { entries, done: () => this.#settled(id, verdict) };
  }

  #refuse(id: string, now: Moment, problem: string, detail: string): Pending {
    const refusal: Refusal = { is: 'defect', problem, detail };
    return {
      entries: [{ entry: 'refused', request_id: id, at: timestamp(now.at), problem, detail }],
      done: () => this.#settled(id, { verdict: 'refused', refusal }),
    };
  }

  /** What the gateway said about the original of a reversal. */
  #writeLearnt(id: string, what: What, now: Moment): Pending | undefined {
    const at = timestamp(now.at);
    const done = () => void this.#live.delete(id);
    if ('answer' in what) return { entries: [{ entry: 'answer', request_id: id, at, answer: what.answer }], done };
    if ('gone' in what) return { entries: [{ entry: 'dropped', request_id: id, at }], done };
    return undefined;
  }

  /** The request under a name of a new generation: its id is another request's. Never a decline. */
  #rename(id: string, known: Known, now: Moment): Pending {
    const times = this.#live.get(id)?.renamed ?? 0;
    if (times >= RENAMED_MAX) return this.#refuse(id, now, 'request_id_reused', 'new names are taken too');
    this.#names = new Names(this.#names.opened, undefined, now, 'request_id_reused');
    this.#newNames = this.#names.opened;
    const request = renamed(known.request, this.#names.request());
    return {
      entries: [{ entry: 'request', ...request }],
      done: () => {
        const old = this.#live.get(id) ?? fresh();
        this.#live.delete(id);
        this.#notice({ notice: 'request_id_taken', requestId: id, renamed: request.request_id });
        this.#live.set(request.request_id, { ...fresh(), waiting: old.waiting, why: old.why, renamed: times + 1 });
      },
    };
  }

  /** Gives up what nobody waits for any longer, and makes the advices of sales declined late. */
  #writeUnattended(now: Moment): Pending | undefined {
    const found = this.book
      .work()
      .find(({ id, known, work }) => work === 'advise' || (work === 'send' && this.#isUnattended(id, known, now)));
    if (!found) return undefined;
    const { id, known, work } = found;
    if (work === 'advise') return this.#advise(id, known, now);
    const live = this.#live.get(id) ?? resumed();
    const { entry, verdict } = givenUp(
      known,
      live,
      this.#givesUp(known.request),
      timestamp(now.at),
      this.#names.request(),
    );
    return {
      entries: [entry],
      done: () => {
        const waiting = this.#live.get(id)?.waiting;
        const after = this.#live.get(id);
        if (after) after.waiting = undefined;
        if (known.state.is !== 'kept') this.#follow(id);
        if (waiting) this.#tell(waiting.ticket, this.book.current(id), verdict);
      },
      failed: (now) => this.#tellOverdue(id, now),
    };
  }

  #advise(id: string, known: Known, now: Moment): Pending | undefined {
    const decline = declineOf(known);
    const advice =
      decline &&
      adviceMayCure(known.request, decline) &&
      asAdvice(known.request, this.#names.request(), timestamp(now.at));
    if (!advice) return undefined;
    return { entries: [{ entry: 'request', ...advice, replaces: id }], done: () => this.#follow(id) };
  }

  #givesUp(request: Request): GiveUp {
    return giveUp(request, this.book.held(request.body['authorization_id']));
  }

  /** What took this request's place, or undoes it, goes on. */
  #follow(id: string): void {
    this.#live.delete(id);
    const state = this.book.find(id)?.state;
    if (state?.is === 'reversed' || state?.is === 'replaced') this.#live.set(state.by, fresh());
  }

  #settled(id: string, verdict: Verdict): void {
    const live = this.#live.get(id);
    this.#live.delete(id);
    const known = this.book.find(id);
    if (!known) return;
    if (live?.waiting) {
      this.#tell(live.waiting.ticket, id, verdict);
      return;
    }
    if (this.book.workOn(id) === 'advise') return;
    const { operation, basket_id } = known.request;
    this.#notice({
      notice: 'settled',
      requestId: id,
      first: this.book.first(id),
      basketId: basket_id,
      operation,
      verdict,
    });
  }

  // ---- Who waits too long -------------------------------------------------------------------------------------------------------

  #isUnattended(id: string, known: Known, now: Moment): boolean {
    const waiting = this.#live.get(id)?.waiting;
    return known.state.is === 'open' && (waiting === undefined || now.uptime >= waiting.until);
  }

  /** What is repeated until it is answered has no entry for giving up: the cashier is just told. */
  #tellKept(now: Moment): void {
    for (const { id, known } of this.book.work()) {
      const live = this.#live.get(id);
      if (known.state.is !== 'kept' || !live?.waiting || now.uptime < live.waiting.until) continue;
      const { ticket } = live.waiting;
      live.waiting = undefined;
      this.#tell(ticket, id, { verdict: 'queued', why: live.why ?? { is: 'no_answer' } });
    }
  }

  /** The journal cannot be written, and cashiers wait no longer. What they are told holds: a restart would decide the same. */
  #tellUnwritten(now: Moment): void {
    for (const { id, known } of this.book.work()) {
      if (this.#isWaitedFor(id) && this.#isUnattended(id, known, now)) this.#tellOverdue(id, now);
    }
  }

  #tellOverdue(id: string, now: Moment): void {
    const [known, live] = [this.book.find(id), this.#live.get(id)];
    if (!known || !live?.waiting) return;
    const { ticket } = live.waiting;
    live.waiting = undefined;
    this.#tell(ticket, id, givenUp(known, live, this.#givesUp(known.request), timestamp(now.at), id).verdict);
  }

  // ---- What is sent, and what its reply means -----------------------------------------------------------------------------------

  #nextExchange(now: Moment): Exchange | undefined {
    const arrived = new Set(this.#arrived.map((each) => each.id));
    const best = nextToSend(this.book, this.#live, this.#line, arrived, now, this.settings);
    if (!best) return undefined;
    this.#exchanges += 1;
    const number = this.#exchanges;
    const live = this.#live.get(best.id) ?? fresh();
    live.inFlight = { number, sends: !best.asks };
    this.#live.set(best.id, live);
    return { number, requestId: best.id, ...(best.asks ? {} : { request: best.known.request }) };
  }

  /** An exchange has ended. A reply that comes late, or twice, is taken for what it still is worth. */
  replied(now: Moment, exchange: Exchange, reply: Reply): void {
    const id = exchange.requestId;
    const sent = exchange.request !== undefined;
    const live = this.#live.get(id);
    if (live) {
      if (live.inFlight?.number === exchange.number) live.inFlight = undefined;
      live.maybeSent ||= sent && mayHaveArrived(reply);
    }
    if (this.book.workOn(id) === undefined) return;
    switch (reply.reply) {
      case 'http':
        this.#answered(now, id, sent, reply);
        return;
      case 'lost':
        this.#lineFailed(now, id);
        this.#later(now, id, undefined, true);
        return;
      case 'not_sent':
        this.#lineFailed(now, id);
        this.#because(id, { is: 'away' });
        this.#later(now, id, reply.retryAfter, false);
        return;
      case 'operator':
        this.#operator(now, id, reply.what);
        return;
    }
  }

  #answered(now: Moment, id: string, sent: boolean, reply: Extract<Reply, { reply: 'http' }>): void {
    const meaning = meaningOf(reply, sent);
    switch (meaning.is) {
      case 'answer':
        this.#takenIn(now, id, sent, meaning.body);
        break;
      case 'not_there':
        this.#notThere(id);
        break;
      case 'running':
        this.#lineReached();
        this.#later(now, id, reply.retryAfter, false);
        break;
      case 'hold':
        this.#holdAll(now, id, meaning.wait);
        break;
      case 'taken':
      case 'refused':
        this.#lineWorked();
        this.#arrived.push({ id, what: meaning.is === 'taken' ? { taken: true } : { refused: meaning } });
        break;
      case 'broken_off':
        this.#later(now, id, reply.retryAfter, true);
        break;
      case 'fault':
        // One request may break something every time; the others need not wait for it.
        if (this.#line.faulted(id, now, this.settings)) this.#notice({ notice: 'away' });
        this.#later(now, id, this.settings.backoffFirst, true);
        break;
      case 'cannot':
        this.#lineFailed(now, id);
        this.#later(now, id, reply.retryAfter, true);
        break;
      case 'operator':
        this.#operator(now, id, meaning.what);
    }
  }

  #holdAll(now: Moment, id: string, wait: number): void {
    this.#lineReached();
    this.#line.hold(now.uptime + wait);
    this.#because(id, { is: 'busy' });
    const live = this.#live.get(id);
    if (live) live.notBefore = now.uptime + wait;
  }

  /** An answer came. One that answers another request is not ours. */
  #takenIn(now: Moment, id: string, sent: boolean, answer: Json): void {
    const known = this.book.find(id);
    if (!known) return;
    const reading = read(known.request, answer);
    if (reading) {
      this.#lineWorked();
      this.#arrived.push({ id, what: { answer, reading } });
      return;
    }
    // What is stored under the id is another request's answer. Sending ours settles it: the gateway compares the bodies.
    if (!sent && isNamedBy(known.request, answer)) {
      this.#notThere(id);
      return;
    }
    // Something on the way answers in the gateway's place.
    this.#lineFailed(now, id);
    this.#later(now, id, undefined, true);
  }

  /** The gateway has nothing under the id: the request is sent, again and under the same id. */
  #notThere(id: string): void {
    this.#lineReached();
    if (this.book.workOn(id) === 'learn') this.#arrived.push({ id, what: { gone: true } });
    const live = this.#live.get(id);
    if (!live) return;
    live.unsure = false;
    live.notBefore = 0;
  }

  /** The gateway refuses the till. The cashier need not wait for it. */
  #operator(now: Moment, id: string, what: string): void {
    const news = this.#line.operator !== what;
    this.#line.refused(what, id, this.#isWaitedFor(id), now, this.settings);
    if (news) this.#notice({ notice: 'operator', what });
    const live = this.#live.get(id);
    if (live) {
      live.why = { is: 'operator', what };
      if (live.waiting) live.waiting.until = now.uptime;
    }
    this.#later(now, id, undefined, true);
  }

  /** Tries a request again after a pause that doubles. The gateway may ask for another. */
  #later(now: Moment, id: string, wait: number | undefined, unsure: boolean): void {
    const live = this.#live.get(id);
    if (!live) return;
    live.unsure ||= unsure && mayArrive(live);
    live.away = this.isAway;
    const { pauseFirst, pauseMax, backoffFirst, backoffMax } = this.settings;
    const [first, max] = live.waiting ? [pauseFirst, pauseMax] : [backoffFirst, backoffMax];
    live.pause = Math.min(Math.max(live.pause * 2, first), max);
    live.notBefore = now.uptime + (live.waiting ? (wait ?? live.pause) : Math.max(live.pause, wait ?? 0));
  }

  #because(id: string, why: Why): void {
    const live = this.#live.get(id);
    if (live) live.why ??= why;
  }

  #lineReached(): void {
    if (this.#line.reached()) this.#back();
  }

  #lineWorked(): void {
    if (this.#line.worked()) this.#back();
  }

  #back(): void {
    this.#notice({ notice: 'back' });
    // These failed because nothing got through.
    for (const live of this.#live.values()) if (live.away) live.notBefore = 0;
  }

  #lineFailed(now: Moment, id: string): void {
    if (this.#line.failed(id, this.#isWaitedFor(id), now, this.settings)) this.#notice({ notice: 'away' });
  }

  #isWaitedFor(id: string): boolean {
    return this.#live.get(id)?.waiting !== undefined;
  }

  #whyAway(): Why {
    return this.#line.operator === undefined ? { is: 'away' } : { is: 'operator', what: this.#line.operator };
  }

  #tell(ticket: number, requestId: string | undefined, verdict: Verdict): void {
    this.#ready.push({ step: 'tell', ticket, requestId, verdict });
  }

  #notice(notice: Notice): void {
    this.#ready.push({ step: 'notice', notice });
  }
}
