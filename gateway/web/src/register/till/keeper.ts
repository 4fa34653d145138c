// Drives the machine of `protocol.ts` with the journal, the wire and the clock. Mirrors `pos-protocol/src/client/keeper.rs`.
//
// Invariant: one step at a time, in order; the next is asked for only after a write is on the disk or known to have failed.

import { signal } from '@preact/signals';
import type { Ask } from './ask.ts';
import { Book } from './book.ts';
import type { Journal } from './journal.ts';
import { Protocol } from './protocol.ts';
import { type Moment, SETTINGS, timestamp } from './settings.ts';
import type { Notice } from './step.ts';
import { type Untold, untold } from './untold.ts';
import type { Verdict } from './verdict.ts';
import { type Account, Wire } from './wire.ts';

/** The end of an order. */
export interface Ended {
  requestId: string | undefined;
  verdict: Verdict;
}

/** A journal with unsettled requests belongs to its terminal: sent for another they would be somebody else's. */
export class ForeignJournal extends Error {
  override readonly name = 'ForeignJournal';
  constructor(readonly clientId: string) {
    super(`the journal has unsettled requests of ${clientId}`);
  }
}

export class Keeper {
  readonly machine: Protocol;
  readonly wire: Wire;
  /** What the last run did not show. */
  readonly untold: Untold[];
  /** Holds of baskets that are not open any more. */
  readonly holdsLeft: { basketId: string; authorizationId: string }[];
  /** Counts up with every change; screens that show the machine's state read it. */
  readonly changes = signal(0);
  readonly #journal: Journal;
  readonly #notices: (notice: Notice) => void;
  readonly #waiting = new Map<number, (ended: Ended) => void>();
  #tickets = 0;
  #running = false;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(journal: Journal, book: Book, account: Account, notices: (notice: Notice) => void) {
    this.#journal = journal;
    this.#notices = notices;
    this.untold = untold(book);
    this.holdsLeft = book.openHolds();
    const owner = { client_id: account.clientId, gateway: location.origin };
    this.machine = new Protocol(SETTINGS, book, owner, this.now());
    this.wire = new Wire(account, SETTINGS, () => performance.now());
  }

  static async open(journal: Journal, account: Account, notices: (notice: Notice) => void): Promise<Keeper> {
    const read = Book.of(journal.entries);
    const owner = read.opened?.owner;
    if (read.unsettled > 0 && owner && owner.client_id !== account.clientId) throw new ForeignJournal(owner.client_id);
    const book = await journal.compact(read, SETTINGS, Date.now());
    const keeper = new Keeper(journal, book, account, notices);
    addEventListener('online', () => keeper.#kick());
    keeper.#kick();
    return keeper;
  }

  now(): Moment {
    const noise = crypto.getRandomValues(new Uint8Array(8));
    const hex = [...noise].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return { at: Date.now(), uptime: performance.now(), noise: hex };
  }

  newBasket(): string {
    return this.machine.newBasket();
  }

  /** Asks and waits for the end. What was written down goes its way, whoever still listens. */
  ask(ask: Ask): Promise<Ended> {
    this.#tickets += 1;
    const ticket = this.#tickets;
    const ended = new Promise<Ended>((resolve) => this.#waiting.set(ticket, resolve));
    this.machine.order(this.now(), ticket, this.#corrected(ask));
    this.#kick();
    return ended;
  }

  /** The screen has shown the end of this request. If that cannot be written down, it is shown again after the next start. */
  async told(requestId: string): Promise<void> {
    const entry = { entry: 'told', request_id: requestId, at: timestamp(Date.now()) } as const;
    try {
      await this.#journal.append([entry]);
      this.machine.book.apply(entry);
    } catch {
      // The next start says it once more.
    }
  }

  /** The time of a scan on the gateway's clock: an advice is judged by it. */
  #corrected(ask: Ask): Ask {
    if (!('scan' in ask)) return ask;
    const at = timestamp(Date.parse(ask.scan.at) + this.wire.skew.correction);
    return { ...ask, scan: { ...ask.scan, at } };
  }

  #kick(): void {
    this.#again = true;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    clearTimeout(this.#timer);
    while (this.#again) {
      this.#again = false;
      await this.#steps();
    }
    this.#running = false;
    this.changes.value += 1;
  }

  /** Carries out steps until there is none. */
  async #steps(): Promise<void> {
    for (;;) {
      const step = this.machine.next(this.now());
      switch (step.step) {
        case 'wait':
          this.#wake(step.until);
          return;
        case 'write':
          await this.#write(step.entries);
          break;
        case 'send':
          void this.wire.exchange(step.exchange).then((reply) => {
            this.machine.replied(this.now(), step.exchange, reply);
            this.#kick();
          });
          break;
        case 'tell':
          this.#waiting.get(step.ticket)?.({ requestId: step.requestId, verdict: step.verdict });
          this.#waiting.delete(step.ticket);
          break;
        case 'notice':
          this.#notices(step.notice);
      }
    }
  }

  async #write(entries: Parameters<Journal['append']>[0]): Promise<void> {
    try {
      await this.#journal.append(entries);
    } catch (error) {
      this.machine.unwritten(this.now(), String(error));
      return;
    }
    this.machine.written(this.now());
  }

  #wake(until: number | undefined): void {
    clearTimeout(this.#timer);
    if (until === undefined) return;
    this.#timer = setTimeout(() => this.#kick(), Math.max(until - performance.now(), 1));
  }
}
