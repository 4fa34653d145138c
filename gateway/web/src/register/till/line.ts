// How the line to the gateway is doing, as far as requests have shown. Mirrors `pos-protocol/src/client/line.rs`.

import type { Moment, Settings } from './settings.ts';

/** After so many failures in a row, with nothing in between that worked, the gateway counts as away. */
const AWAY_AFTER_FAILURES = 2;

export class Line {
  #failures = 0;
  /** The request that failed last. */
  #failed: string | undefined;
  /** Faults (500) of different requests in a row, beyond the first: that may be the request's own. */
  #faults = 0;
  #faulted: string | undefined;
  #queueFrom = 0;
  #faultsFrom = 0;
  #allFrom = 0;
  /** What an operator has to mend. */
  operator: string | undefined;

  get isAway(): boolean {
    return this.#failures >= AWAY_AFTER_FAILURES || this.#faults >= AWAY_AFTER_FAILURES;
  }

  /** How many requests of the queue may be under way. */
  queueWidth(settings: Settings): number {
    return this.#failures > 0 || this.#faults > 0 ? 1 : settings.queueAtOnce;
  }

  /** Whether a request may go now. */
  lets(waitedFor: boolean, now: number): boolean {
    return now >= this.#allFrom && (waitedFor || now >= Math.max(this.#queueFrom, this.#faultsFrom));
  }

  /** When it may next let something go. */
  get wakes(): number[] {
    return [this.#queueFrom, this.#faultsFrom, this.#allFrom];
  }

  /** The gateway said something sensible, yet did nothing: that does not end its faults. True if it had been away. */
  reached(): boolean {
    const wasAway = this.isAway;
    this.#failures = 0;
    this.#failed = undefined;
    this.#queueFrom = 0;
    this.operator = undefined;
    return wasAway && !this.isAway;
  }

  /** The gateway did what it was asked. True if it had been away. */
  worked(): boolean {
    const wasAway = this.isAway;
    this.reached();
    this.#faults = 0;
    this.#faulted = undefined;
    this.#faultsFrom = 0;
    return wasAway;
  }

  /**
   * It said nothing, or that it cannot, to this request. True if it counts as away from now on. One request of the queue that fails
   * again and again says nothing new about the line: it may be the request.
   */
  failed(requestId: string, waitedFor: boolean, now: Moment, settings: Settings): boolean {
    const again = this.#failed === requestId;
    this.#failed = requestId;
    if (again && !waitedFor) return false;
    const wasAway = this.isAway;
    this.#failures += 1;
    this.#queueFrom = now.uptime + backoff(this.#failures, now, settings);
    return !wasAway && this.isAway;
  }

  /** It met a fault with this request. True if it counts as away from now on. */
  faulted(requestId: string, now: Moment, settings: Settings): boolean {
    const before = this.#faulted;
    this.#faulted = requestId;
    if (before === undefined || before === requestId) return false;
    const wasAway = this.isAway;
    this.#faults += 1;
    this.#faultsFrom = now.uptime + backoff(this.#faults, now, settings);
    return !wasAway && this.isAway;
  }

  /** It refuses this till. */
  refused(what: string, requestId: string, waitedFor: boolean, now: Moment, settings: Settings): void {
    this.failed(requestId, waitedFor, now, settings);
    this.operator = what;
  }

  /** It asked everybody to wait. */
  hold(until: number): void {
    this.#allFrom = Math.max(this.#allFrom, until);
  }

  /** Somebody came who makes it worth trying again at once. */
  nudge(now: Moment, settings: Settings): void {
    const soon = now.uptime + settings.backoffFirst;
    this.#queueFrom = Math.min(this.#queueFrom, soon);
    this.#faultsFrom = Math.min(this.#faultsFrom, soon);
  }
}

/** Doubling, up to a limit, and shorter by up to a quarter so that the tills of a chain do not all come back in the same moment. */
function backoff(failures: number, now: Moment, settings: Settings): number {
  const pause = Math.min(settings.backoffFirst * 2 ** Math.min(failures - 1, 16), settings.backoffMax);
  return pause - (pause / 16) * (Number.parseInt(now.noise.slice(0, 4), 16) % 5);
}
