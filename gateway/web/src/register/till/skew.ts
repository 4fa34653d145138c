// How far the till's clock is off the gateway's, from the `Date` of its answers. Mirrors `pos-protocol/src/client/skew.rs`.
//
// `Date` has whole seconds: an answer says that the gateway's clock was within that second at some moment between question and answer.
// What all such bounds have in common is narrower than any one of them.

/** A clock that is further off than this is worth a notice, in milliseconds. */
const NOTICED_MS = 3_000;

export class Skew {
  #bounds: { low: number; high: number } | undefined;

  /** Takes in the `date` of an answer to what was asked at `sent` and was here at `received`; all in epoch milliseconds. */
  heard(date: number, sent: number, received: number): void {
    // The till's clock was set back in between, or there is no date.
    if (Number.isNaN(date) || received < sent) return;
    const least = date - received;
    const most = date - sent + 1_000;
    const low = Math.max(this.#bounds?.low ?? least, least);
    const high = Math.min(this.#bounds?.high ?? most, most);
    // Nothing in common: one of the clocks was set, and only the newest answer counts.
    this.#bounds = low <= high ? { low, high } : { low: least, high: most };
  }

  /** What to add to the till's clock; nothing while it may be right. */
  get correction(): number {
    if (!this.#bounds) return 0;
    const { low, high } = this.#bounds;
    return low > 0 || high < 0 ? Math.round((low + high) / 2) : 0;
  }

  /** The seconds to tell a person, if the clock is far off. */
  get wrongBySeconds(): number {
    return Math.abs(this.correction) > NOTICED_MS ? Math.round(this.correction / 1_000) : 0;
  }
}
