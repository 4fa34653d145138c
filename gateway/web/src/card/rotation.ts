// The text that is shown: a new one every 15 seconds, at once when the shopper changes what it may spend, and at once
// after it was used. Never two of one second, in whatever tab they are made: to a till they would be the same card twice.

import { effect, signal, untracked } from '@preact/signals';
import { type SpendLimit, signCardText } from './card-text.ts';
import { nextIssuedAt } from './issued-at.ts';
import { fromHex } from './keys.ts';
import { changes, visible } from './live.ts';
import { card, clock, corrections, keepClock, kept, limit, phase, showClock } from './session.ts';
import { alone } from './vault.ts';

export const PERIOD_S = 15;
/** How soon a text that could not be made is tried again. */
const AGAIN_MS = 1_000;
const LOOK_MS = 100;

export const text = signal<string | undefined>(undefined);
/** When the text is replaced, on `performance.now()`. */
export const replaced_at = signal(0);

let timer: ReturnType<typeof setTimeout> | undefined;
let turn = 0;
/** What the shown text may spend. */
let signed: SpendLimit | undefined;

/** Keeps the text new for as long as the card is looked at. */
export function start(): void {
  effect(() => {
    const shown = visible.value && phase.value === 'card';
    // Read so that their change makes a new text.
    void [limit.value, changes.value, corrections.value, card.value?.card_id];
    clearTimeout(timer);
    // A text that may spend what the shopper no longer wants is not shown until the next is made.
    if (!shown || limit.value !== signed) text.value = undefined;
    if (shown) untracked(() => void renew());
    else turn += 1;
  });
}

async function renew(): Promise<void> {
  clearTimeout(timer);
  turn += 1;
  const mine = turn;
  const made = await make(() => mine !== turn).catch(() => undefined);
  // Something changed meanwhile, and a newer text is on its way.
  if (mine !== turn) return;
  signed = made?.limit;
  text.value = made?.text;
  const shown_ms = made ? PERIOD_S * 1000 : AGAIN_MS;
  replaced_at.value = performance.now() + shown_ms;
  timer = setTimeout(() => void renew(), shown_ms);
  showClock();
  keepClock();
}

async function make(stale: () => boolean): Promise<{ text: string; limit: SpendLimit } | undefined> {
  const found = card.value;
  const spends = limit.value;
  if (!found) return undefined;
  const issued_at = await nextSecond(stale);
  if (issued_at === undefined) return undefined;
  const parts = { card_id: fromHex(found.card_id), issued_at, limit: spends };
  try {
    return { text: await signCardText(found.keys.privateKey, found.programme, parts), limit: spends };
  } catch {
    phase.value = 'key_lost';
    return undefined;
  }
}

let newest = 0;

/** Nothing if the text became stale while it waited for its second. */
function nextSecond(stale: () => boolean): Promise<number | undefined> {
  return alone('text', async () => {
    // A phone whose storage is full shows its card all the same; then only this tab knows.
    const other = await kept()
      .get('issued_at')
      .catch(() => undefined);
    const last = Math.max(newest, other ?? 0);
    let next = nextIssuedAt(clock.seconds(), last);
    while (next === undefined && !stale()) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      next = nextIssuedAt(clock.seconds(), last);
    }
    if (next === undefined || stale()) return undefined;
    newest = next;
    await kept()
      .put('issued_at', next)
      .catch(() => undefined);
    return next;
  });
}
