// Which request goes next, and when there is something to do again. Mirrors the first half of
// `pos-protocol/src/client/machine/exchange.rs`.

import type { Book, Known } from './book.ts';
import type { Line } from './line.ts';
import { fresh, type Live } from './live.ts';
import type { Moment, Settings } from './settings.ts';

/** A request that may go now. `asks`: only to ask what became of it. */
export interface Sendable {
  id: string;
  known: Known;
  due: number;
  asks: boolean;
}

/** The request that goes next, if one may go now. */
export function nextToSend(
  book: Book,
  lives: ReadonlyMap<string, Live>,
  line: Line,
  arrived: ReadonlySet<string>,
  now: Moment,
  settings: Settings,
): Sendable | undefined {
  const queued = [...lives.values()].filter((live) => live.inFlight && !live.waiting).length;
  const queueHasRoom = queued < line.queueWidth(settings);
  const baskets = new Set<string>();
  let best: Sendable | undefined;
  for (const { id, known, work } of book.work()) {
    const basket = known.request.basket_id;
    // A request waits until those of its basket before it are settled.
    const isFirst = basket === undefined || work === 'learn' || !baskets.has(basket);
    if (basket !== undefined && work !== 'learn') baskets.add(basket);
    const live = lives.get(id) ?? fresh();
    const waiting = live.waiting !== undefined;
    // A request nobody waits for is given up before anything else happens to it.
    const sendable = work === 'learn' || (work === 'send' && (known.state.is === 'kept' || waiting));
    const mayGo =
      sendable &&
      isFirst &&
      !live.inFlight &&
      // Its answer is here and waits for room in the journal.
      !arrived.has(id) &&
      now.uptime >= live.notBefore &&
      (live.waiting === undefined || now.uptime < live.waiting.until) &&
      (waiting || queueHasRoom) &&
      line.lets(waiting, now.uptime);
    // What failed has to wait; what waits longest is first. A reversal says the same however often it comes.
    const asks = work === 'learn' || (live.unsure && known.request.operation !== 'reversal');
    if (mayGo && (!best || live.notBefore < best.due)) best = { id, known, due: live.notBefore, asks };
  }
  return best;
}

/** When something falls due if nothing happens before. */
export function wakesAt(
  book: Book,
  lives: ReadonlyMap<string, Live>,
  line: Line,
  unwritableUntil: number | undefined,
  now: Moment,
): number | undefined {
  const times = unwritableUntil === undefined ? [] : [unwritableUntil];
  for (const { id } of book.work()) {
    const live = lives.get(id);
    if (live) times.push(live.notBefore, ...(live.waiting ? [live.waiting.until] : []));
  }
  if (book.unsettled > 0) times.push(...line.wakes);
  const due = times.filter((time) => time > now.uptime);
  return due.length === 0 ? undefined : Math.min(...due);
}
