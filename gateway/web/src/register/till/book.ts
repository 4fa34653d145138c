// What the journal's entries add up to: every request and what became of it. Mirrors `pos-protocol/src/client/book.rs`.
//
// Invariant: the book changes only through {@link Book.apply}, with entries that are durable. So reading the journal again after a
// crash gives the same book.

import {
  adviceMayCure,
  type Decline,
  type Entry,
  isAfterwards,
  type Json,
  type Opened,
  type Reading,
  type Request,
  read,
  reverses,
} from './message.ts';

/** What became of a request. */
export type State =
  | { is: 'open' }
  /** The cashier was told that it counts; it is repeated until it is answered. */
  | { is: 'kept' }
  /** A reversal is in the journal: it is not sent any more. */
  | { is: 'reversed'; by: string }
  /** Another request took its place: it is not sent any more. */
  | { is: 'replaced'; by: string }
  /** Given up, with nothing to undo. */
  | { is: 'dropped' }
  | { is: 'answered' }
  /** The gateway refused it as malformed: it had no effect. */
  | { is: 'refused'; problem: string; detail: string };

export interface Known {
  readonly request: Request;
  state: State;
  /** Whether the cashier was told that it counts before it was answered. */
  kept: boolean;
  /** Whether the screen has shown its end. */
  told: boolean;
  /** The answer, if one is known; also of a request that was reversed. */
  answer?: Json;
  answeredAt?: string;
}

/** What is left to do about a request: send it; write its advice; learn what a reversed sale had done, for the day's totals. */
export type Work = 'send' | 'advise' | 'learn';

/** What the answer says, if there is one. */
export function readingOf(known: Known): Reading | undefined {
  return known.answer === undefined ? undefined : read(known.request, known.answer);
}

export function approvalOf(known: Known): Json | undefined {
  const reading = readingOf(known);
  return reading && 'approved' in reading ? reading.approved : undefined;
}

export function declineOf(known: Known): Decline | undefined {
  const reading = readingOf(known);
  return reading && 'declined' in reading ? reading.declined : undefined;
}

export class Book {
  opened: Opened | undefined;
  readonly #requests = new Map<string, Known>();
  /** Requests with something left to do. */
  readonly #work = new Set<string>();

  static of(entries: Iterable<Entry>): Book {
    const book = new Book();
    for (const entry of entries) book.apply(entry);
    return book;
  }

  /** Takes in one durable entry. */
  apply(entry: Entry): void {
    switch (entry.entry) {
      case 'opened': {
        const { entry: _, ...opened } = entry;
        this.opened = opened;
        return;
      }
      case 'request': {
        const { entry: _, ...request } = entry;
        this.#applyRequest(request);
        return;
      }
      case 'told':
        this.#change(entry.request_id, (known) => {
          known.told = true;
        });
        return;
      case 'kept':
        this.#change(entry.request_id, (known) => {
          known.kept = true;
          if (known.state.is === 'open') known.state = { is: 'kept' };
        });
        return;
      case 'dropped':
        this.#change(entry.request_id, (known) => {
          known.state = { is: 'dropped' };
        });
        return;
      case 'refused':
        this.#change(entry.request_id, (known) => {
          known.state = { is: 'refused', problem: entry.problem, detail: entry.detail };
        });
        return;
      case 'answer':
        this.#applyAnswer(entry.request_id, entry.at, entry.answer);
    }
  }

  #applyAnswer(requestId: string, at: string, answer: Json): void {
    this.#change(requestId, (known) => {
      known.answer = answer;
      known.answeredAt = at;
      if (known.state.is === 'open' || known.state.is === 'kept') known.state = { is: 'answered' };
    });
    this.#stand(requestId);
    // The original of a reversal may have something to learn now.
    const original = this.find(requestId) && reverses((this.find(requestId) as Known).request);
    if (original !== undefined) this.#stand(original);
  }

  #applyRequest(request: Request): void {
    const known: Known = { request, state: { is: 'open' }, kept: isAfterwards(request), told: false };
    if (request.replaces !== undefined) {
      this.#change(request.replaces, (old) => {
        known.kept ||= old.kept;
        old.state = { is: 'replaced', by: request.request_id };
      });
    }
    if (known.kept) known.state = { is: 'kept' };
    const original = reverses(request);
    // A second reversal finds nothing to undo; what the first found is in the totals.
    if (original !== undefined && !this.#isBeingUndone(original)) {
      this.#change(original, (old) => {
        old.state = { is: 'reversed', by: request.request_id };
      });
    }
    this.#requests.set(request.request_id, known);
    this.#work.add(request.request_id);
  }

  /** What could not be reversed is what it was before: it took effect. */
  #stand(requestId: string): void {
    this.#change(requestId, (known) => {
      const by = known.state.is === 'reversed' ? this.find(known.state.by) : undefined;
      if (known.answer !== undefined && by && this.#undone(by) === 'not_reversible') known.state = { is: 'answered' };
    });
  }

  #isBeingUndone(original: string): boolean {
    const state = this.find(original)?.state;
    const by = state?.is === 'reversed' ? this.find(state.by) : undefined;
    return by !== undefined && (by.state.is === 'kept' || this.#undone(by) === 'refunded');
  }

  /** What a reversal found in effect. */
  #undone(reversal: Known): 'refunded' | 'not_reversible' | undefined {
    if (approvalOf(reversal)?.['effect'] === 'refunded') return 'refunded';
    return declineOf(reversal)?.reason === 'not_reversible' ? 'not_reversible' : undefined;
  }

  #change(requestId: string, change: (known: Known) => void): void {
    const known = this.#requests.get(requestId);
    if (!known) return;
    change(known);
    if (this.workOn(requestId) === undefined) this.#work.delete(requestId);
    else this.#work.add(requestId);
  }

  /** What is left to do about a request. */
  workOn(requestId: string): Work | undefined {
    const known = this.#requests.get(requestId);
    switch (known?.state.is) {
      case 'open':
      case 'kept':
        return 'send';
      case 'answered':
        return wantsAdvice(known) ? 'advise' : undefined;
      case 'reversed': {
        const by = this.find(known.state.by);
        return known.answer === undefined && by && this.#undone(by) ? 'learn' : undefined;
      }
      default:
        return undefined;
    }
  }

  /** Requests with something left to do, oldest first. */
  work(): { id: string; known: Known; work: Work }[] {
    if (this.#work.size === 0) return [];
    return [...this.#requests].flatMap(([id, known]) => {
      const work = this.#work.has(id) ? this.workOn(id) : undefined;
      return work === undefined ? [] : [{ id, known, work }];
    });
  }

  get unsettled(): number {
    return this.#work.size;
  }

  find(requestId: string): Known | undefined {
    return this.#requests.get(requestId);
  }

  /** The id a request goes by now: its own, or that of the last that took its place. */
  current(requestId: string): string {
    let id = requestId;
    for (let state = this.find(id)?.state; state?.is === 'replaced'; state = this.find(id)?.state) id = state.by;
    return id;
  }

  /** The id it was first ordered under: that is the one its cashier knows. */
  first(requestId: string): string {
    let id = requestId;
    for (let old = this.find(id)?.request.replaces; old !== undefined; old = this.find(id)?.request.replaces) id = old;
    return id;
  }

  /** Every request, oldest first. */
  requests(): Known[] {
    return [...this.#requests.values()];
  }

  /** Whether the basket has a sale that counts, or may yet. */
  hasSale(basketId: string): boolean {
    return this.requests().some((known) => known.request.basket_id === basketId && isLiveSale(known));
  }

  /** How many points a hold promised, if its approval is here. */
  held(authorizationId: unknown): number | undefined {
    if (authorizationId === undefined) return undefined;
    for (const known of this.#requests.values()) {
      const hold = holdOf(known);
      if (hold?.id === authorizationId) return hold.points;
    }
    return undefined;
  }

  /** Holds that were approved and of which nothing further is written: no void, sale or reversal. */
  openHolds(): { basketId: string; authorizationId: string }[] {
    const holds = new Map<string, string>();
    for (const known of this.#requests.values()) {
      const { operation, path, body, basket_id } = known.request;
      if (operation === 'void') holds.delete(path.split('/')[4] ?? '');
      if (operation === 'purchase') holds.delete(String(body['authorization_id']));
      const hold = known.state.is === 'answered' ? holdOf(known) : undefined;
      if (hold && basket_id !== undefined) holds.set(hold.id, basket_id);
    }
    return [...holds].map(([authorizationId, basketId]) => ({ authorizationId, basketId }));
  }
}

function holdOf(known: Known): { id: string; points: number } | undefined {
  if (known.request.operation !== 'authorization') return undefined;
  return approvalOf(known)?.['authorization'] as { id: string; points: number } | undefined;
}

function isLiveSale(known: Known): boolean {
  if (known.request.operation !== 'purchase') return false;
  if (known.state.is === 'open' || known.state.is === 'kept') return true;
  return known.state.is === 'answered' && (approvalOf(known) !== undefined || wantsAdvice(known));
}

function wantsAdvice(known: Known): boolean {
  const decline = declineOf(known);
  return (
    known.kept &&
    known.request.scanned_at !== undefined &&
    decline !== undefined &&
    adviceMayCure(known.request, decline)
  );
}
