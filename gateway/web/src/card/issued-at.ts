// Which second the next text is dated. No two texts of one card may have the same: to a till they would be one card.

/** How far a text may be dated ahead to differ from the one before. The gateway takes 15 s. */
const AHEAD_S_MAX = 5;
/** Further ahead than quick changes and small corrections lead: texts by a clock that was wrong. */
const OTHER_TIME_S = 10;

/** The second after `last`, or now; nothing if the clock must come closer first. */
export function nextIssuedAt(now: number, last: number): number | undefined {
  if (last < now || last - now > OTHER_TIME_S) return now;
  return last + 1 - now <= AHEAD_S_MAX ? last + 1 : undefined;
}
