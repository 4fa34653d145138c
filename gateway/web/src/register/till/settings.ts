// Times of the till's half, in milliseconds, and what it is told about now. The defaults are those of `docs/till-client.md`.

export interface Settings {
  /** How long a cashier waits for an answer, retries included. */
  deadline: number;
  /** The same while the gateway has not answered for a while. */
  deadlineAway: number;
  /** How long one attempt waits for its answer, or for a token: a lost answer leaves time to ask. */
  attempt: number;
  /** The first pause before a request is tried again while the cashier waits; it doubles up to the next. */
  pauseFirst: number;
  pauseMax: number;
  /** The same for the queue while the gateway is away. */
  backoffFirst: number;
  backoffMax: number;
  /** How long a journal that could not be written is left alone. */
  unwritablePause: number;
  /** Requests of the queue that may be under way at once when the gateway answers. */
  queueAtOnce: number;
  /** When a business day begins: the offset of the store's time from UTC and the hour of the cut-over, together in milliseconds. */
  businessDayOffset: number;
  /** How long settled sales stay in the journal. */
  keep: number;
}

const HOUR = 3_600_000;

/** Japan (which has no summer time), 05:00. */
export const SETTINGS: Settings = {
  deadline: 5_000,
  deadlineAway: 1_000,
  attempt: 2_000,
  pauseFirst: 50,
  pauseMax: 500,
  backoffFirst: 1_000,
  backoffMax: 60_000,
  unwritablePause: 1_000,
  queueAtOnce: 4,
  businessDayOffset: 9 * HOUR - 5 * HOUR,
  keep: 31 * 24 * HOUR,
};

/** What the till's half is told about now. */
export interface Moment {
  /** The till's wall clock, in epoch milliseconds; goes into records, never into a deadline. */
  at: number;
  /** Milliseconds since the start, by a clock that nobody sets. */
  uptime: number;
  /** Sixteen fresh random hexadecimal digits. */
  noise: string;
}

export const timestamp = (at: number): string => new Date(at).toISOString();

/** The business day of a moment: before the cut-over it is still yesterday. */
export function businessDay(at: number, settings: Settings): string {
  return timestamp(at + settings.businessDayOffset).slice(0, 10);
}
