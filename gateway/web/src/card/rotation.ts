// The text that is shown: a new one every 15 seconds, at once when the shopper changes what it may spend, and at once
// after it was used. Never two of one second, in whatever tab they are made: to a till they would be the same card twice.

import { effect, signal, untracked } from '@preact/signals';
import { signCardText } from './card-text.ts';
import { fromHex } from './keys.ts';
import { changes, visible } from './live.ts';
import { card, clock, corrections, keepClock, kept, limit, phase, showClock } from './session.ts';
import { alone } from './vault.ts';

export const PERIOD_S = 15;
/** How far a text may be dated ahead to differ from the one before. The gateway takes 15 s. */
const AHEAD_S_MAX = 5;

export const text = signal<string | undefined>(undefined);
/** When the text is replaced, on `performance.now()`. */
export const replaced_at = signal(0);

let timer: ReturnType<typeof setTimeout> | undefined;
let turn = 0;

/** Keeps the text new for as long as the card is looked at. */
export function start(): void {
  effect(() => {
    const shown = visible.value && phase.value === 'card';
    // Read so that their change makes a new text.
    void [limit.value, changes.value, corrections.value, card.value?.card_id];
    clearTimeout(timer);
    if (shown) untracked(() => void renew());
    else text.value = undefined;
  });
}

async function renew(): Promise<void> {
  clearTimeout(timer);
  turn += 1;
  const mine = turn;
  const next = await make();
  // Something changed meanwhile, and a newer text is on its way.
  if (mine !== turn) return;
  text.value = next;
  replaced_at.value = performance.now() + PERIOD_S * 1000;
  timer = setTimeout(() => void renew(), PERIOD_S * 1000);
  showClock();
  keepClock();
}

async function make(): Promise<string | undefined> {
  const found = card.value;
  if (!found) return undefined;
  const issued_at = await nextSecond();
  const parts = { card_id: fromHex(found.card_id), issued_at, limit: limit.value };
  try {
    return await signCardText(found.keys.privateKey, found.programme, parts);
  } catch {
    phase.value = 'key_lost';
    return undefined;
  }
}

let newest = 0;

function nextSecond(): Promise<number> {
  return alone('text', async () => {
    const now = clock.seconds();
    // A phone whose storage is full shows its card all the same; then only this tab knows.
    const last = Math.max(
      newest,
      (await kept()
        .get('issued_at')
        .catch(() => undefined)) ?? 0,
    );
    newest = last >= now && last - now < AHEAD_S_MAX ? last + 1 : now;
    await kept()
      .put('issued_at', newest)
      .catch(() => undefined);
    return newest;
  });
}
