// What time it is at the gateway. The phone's clock may be off by any amount; a card text is good only for some seconds.
//
// An answer of the gateway tells the offset to within half of what the answer took. Between answers the phone's clock
// is watched against one that only counts up, but may stand still while the phone sleeps.
//
// While the page is hidden, a clock that is ahead slept: the offset stays. One that went back was set, unseen: it is not
// trusted. While the page is shown, a step is taken for somebody who sets the clock, and the offset is set right by the
// same step. Forward, it may as well be a lid that was closed with no word to the page: that is not trusted either.

/** `sure`: told by the gateway and watched since. `kept`: told earlier. `unsure`: the clock was set meanwhile. */
export type Trust = 'sure' | 'kept' | 'unsure';

/** What outlives the page. */
export interface KeptClock {
  offset_ms: number;
  /** The newest time the phone's clock was seen at. */
  seen_at_ms: number;
  /** It was not trusted when it was written down. */
  unsure?: boolean;
}

interface Sources {
  /** The phone's clock, which people may set. */
  wall: () => number;
  /** One that only counts up, and may stand still while the phone sleeps. */
  steady: () => number;
}

/** A step of the clock below this is what clocks do by themselves. */
const STEP_MS = 2_000;
/** How much a crystal may run wrong in an hour. */
const DRIFT_MS_PER_HOUR = 200;
/** No answer takes longer by itself: the phone slept, or its clock was set, while it was under way. */
const ANSWER_MS_MAX = 10_000;

export class GatewayClock {
  private offset_ms = 0;
  private error_ms = Number.POSITIVE_INFINITY;
  private told_at = 0;
  private wall_before: number;
  private steady_before: number;
  private hidden = false;
  private slept = false;
  private trusted: Trust = 'unsure';

  constructor(private readonly sources: Sources = { wall: () => Date.now(), steady: () => performance.now() }) {
    this.wall_before = sources.wall();
    this.steady_before = sources.steady();
  }

  /** Goes on from what was kept when the page was last open. */
  resume(kept: KeptClock): void {
    this.offset_ms = kept.offset_ms;
    this.trusted = kept.unsure || this.sources.wall() < kept.seen_at_ms - STEP_MS ? 'unsure' : 'kept';
  }

  keep(): KeptClock {
    this.watch();
    const unsure = this.trusted === 'unsure';
    return { offset_ms: this.offset_ms, seen_at_ms: this.wall_before, ...(unsure && { unsure }) };
  }

  /** The gateway said it was `server_ms`, in an answer that was asked for and came at these times of the phone's clock. */
  learn(server_ms: number, asked_at: number, answered_at: number, resolution_ms = 0): void {
    this.watch();
    if (!Number.isFinite(server_ms) || answered_at < asked_at) return;
    const slow = answered_at - asked_at > ANSWER_MS_MAX;
    if (slow && this.trusted !== 'unsure') return;
    const offset_ms = server_ms + resolution_ms / 2 - (asked_at + answered_at) / 2;
    const error_ms = (answered_at - asked_at + resolution_ms) / 2;
    const age_h = Math.max(0, this.sources.steady() - this.told_at) / 3_600_000;
    const old_error_ms = this.error_ms + age_h * DRIFT_MS_PER_HOUR;
    const contradicts = Math.abs(offset_ms - this.offset_ms) > old_error_ms + error_ms;
    if (this.trusted !== 'sure' || contradicts || error_ms <= old_error_ms) {
      this.offset_ms = offset_ms;
      this.error_ms = error_ms;
      this.told_at = this.sources.steady();
    }
    this.trusted = slow ? 'unsure' : 'sure';
  }

  /** The page is hidden: until it is shown the phone may sleep, however often somebody looks. */
  hide(): void {
    this.watch();
    this.hidden = true;
    this.slept = true;
  }

  /** The page is shown again. To be called before anybody looks. */
  show(): void {
    this.hidden = false;
  }

  /** The gateway's time in milliseconds. */
  now(): number {
    this.watch();
    return this.sources.wall() + this.offset_ms;
  }

  /** In whole seconds, as card texts and proofs say it. */
  seconds(): number {
    return Math.floor(this.now() / 1000);
  }

  get trust(): Trust {
    this.watch();
    return this.trusted;
  }

  /** How far ahead of the gateway the phone's clock is. */
  get phone_ahead_ms(): number {
    return 0 - this.offset_ms;
  }

  private watch(): void {
    const wall = this.sources.wall();
    const steady = this.sources.steady();
    const step = wall - this.wall_before - (steady - this.steady_before);
    this.wall_before = wall;
    this.steady_before = steady;
    const slept = this.slept;
    // A look while the page is hidden may still be before the sleep.
    if (!this.hidden) this.slept = false;
    if (Math.abs(step) <= STEP_MS) return;
    // Ahead after a sleep: the steady clock stood still, and the offset is as good as before.
    if (slept && step > 0) {
      if (this.trusted === 'sure') this.trusted = 'kept';
      return;
    }
    this.offset_ms -= step;
    if (slept || step > 0) this.trusted = 'unsure';
  }
}
