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

/** Photographs the code and reads it, as a scanner does. */
export async function scan(page: Page): Promise<string> {
  const png = PNG.sync.read(await page.locator('.code').screenshot());
  const found = jsqr(new Uint8ClampedArray(png.data), png.width, png.height);
  assert.ok(found, 'a scanner reads nothing');
  return found.data;
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

/** The shopper's browser thinks that it is `ms` later than it is; `window.setClock` changes it. */
export async function wrongClock(context: BrowserContext, ms: number): Promise<void> {
  await context.addInitScript((first) => {
    let ahead = first;
    const Real = Date;
    class Wrong extends Real {
      constructor(...values: unknown[]) {
        if (values.length === 0) super(Real.now() + ahead);
        else super(...(values as [number]));
      }
      static override now(): number {
        return Real.now() + ahead;
      }
    }
    const window = globalThis as unknown as { Date: unknown; setClock: (ms: number) => void };
    window.Date = Wrong;
    window.setClock = (next) => {
      ahead = next;
    };
  }, ms);
}

/** Everything the page keeps, and the page itself, is on the phone. */
export async function keptOnPhone(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (navigator.serviceWorker.controller) return;
    await new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve));
  });
}
