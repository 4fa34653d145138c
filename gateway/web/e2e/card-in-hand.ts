// What a shopper and a scanner do with the card page.

import assert from 'node:assert/strict';
import jsqr from 'jsqr';
import type { BrowserContext, Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { type Stage, type View, WAIT_MS, type Watched } from './stage.ts';
import type { Till } from './till.ts';

export interface InHand {
  context: BrowserContext;
  page: Page;
  watched: Watched;
}

/** A phone with a new card on it. */
export async function newCard(stage: Stage, view: View = {}): Promise<InHand> {
  const context = await stage.visitor(view);
  const watched = await stage.page(context, '/card');
  const { page } = watched;
  await page.locator('button.primary').click();
  await page.locator('.code .qr').waitFor();
  return { context, page, watched };
}

/** Photographs the code until it can be read, as a scanner does. */
export async function scan(page: Page): Promise<string> {
  const until = Date.now() + WAIT_MS;
  while (Date.now() < until) {
    const png = PNG.sync.read(await page.locator('.code').screenshot());
    for (const scale of [1, 2, 3]) {
      const found = jsqr(...enlarged(png, scale));
      if (found) return found.data;
    }
  }
  assert.fail('a scanner reads nothing');
}

/** The reader finds the corners of a small picture more surely when it comes closer. */
function enlarged({ data, width, height }: PNG, scale: number): [Uint8ClampedArray, number, number] {
  const from = new Uint32Array(data.buffer, data.byteOffset, width * height);
  const to = new Uint32Array(from.length * scale * scale);
  for (let at = 0; at < to.length; at += 1) {
    const x = Math.floor((at % (width * scale)) / scale);
    const y = Math.floor(at / (width * scale) / scale);
    to[at] = from[y * width + x] ?? 0;
  }
  return [new Uint8ClampedArray(to.buffer), width * scale, height * scale];
}

/** Waits until the code is another than `before`, and reads it. */
export async function scanNext(page: Page, before: string): Promise<string> {
  const until = Date.now() + WAIT_MS;
  for (;;) {
    const text = await scan(page);
    if (text !== before) return text;
    assert.ok(Date.now() < until, 'the code does not change');
    await page.waitForTimeout(100);
  }
}

/** Waits until the page shows this balance. */
export async function balance(page: Page, points: number): Promise<void> {
  await page.locator(`[data-balance="${points}"]`).waitFor();
}

/** Buys something and goes back to the card. */
export async function earn(till: Till, page: Page, yen: number): Promise<void> {
  await till.sell(await scan(page), yen);
  await page.locator('.happening button').click();
}

/** The shopper's browser thinks that it is `ms` later than it is; `setClock` changes it. */
export async function wrongClock(context: BrowserContext, ms: number): Promise<void> {
  // As text: what is compiled here may lean on helpers that a page does not have.
  await context.addInitScript(`{
    let ahead = ${ms};
    const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...values) {
        super(...(values.length === 0 ? [Real.now() + ahead] : values));
      }
      static now() {
        return Real.now() + ahead;
      }
    };
    globalThis.setClock = (next) => {
      ahead = next;
    };
  }`);
}

/** When the phone says that it signed a text, in Unix seconds. */
export function issuedAt(text: string): number {
  // The second group is bytes 7 to 13; bytes 9 to 12 are the second.
  return Number((BigInt(text.slice(21, 38)) >> 8n) & 0xffff_ffffn);
}

/** The page is hidden, or shown again, as far as it can tell. */
export async function look(page: Page, state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate((now) => {
    Object.defineProperty(document, 'visibilityState', { value: now, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
}

/** Sets a clock of `wrongClock`. A sleep looks the same to the page: one clock goes on, the other stands still. */
export async function setClock(page: Page, ms: number): Promise<void> {
  await page.evaluate((ahead) => (globalThis as unknown as { setClock: (ms: number) => void }).setClock(ahead), ms);
}

/** Everything the page keeps, and the page itself, is on the phone. */
export async function keptOnPhone(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (navigator.serviceWorker.controller) return;
    await new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve));
  });
}
