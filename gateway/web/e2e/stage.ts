// What every journey needs: a gateway, a browser, pages of a phone's or a desktop's size, and the three ways of looking
// at a page: as a screen reader does (aria snapshot), as a checker of rules does (axe), as a person does (screenshot).

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type axe from 'axe-core';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { Gateway } from './gateway.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SCREENS = join(import.meta.dirname, '..', '..', '..', 'docs', 'screens');
/** Generous: the machine that runs this may be busy. */
export const WAIT_MS = 60_000;

export const PHONE = { width: 390, height: 844 };
export const SMALL_PHONE = { width: 360, height: 640 };
export const DESKTOP = { width: 1280, height: 800 };

export interface View {
  size?: { width: number; height: number };
  locale?: 'ja-JP' | 'en-GB';
  more?: BrowserContextOptions;
}

export class Stage {
  private constructor(
    readonly gateway: Gateway,
    readonly browser: Browser,
  ) {}

  static async open(more: readonly string[] = []): Promise<Stage> {
    const gateway = await Gateway.start(more);
    try {
      return new Stage(gateway, await launch());
    } catch (error) {
      await gateway.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.gateway.close();
  }

  /** Somebody's browser: storage of its own. Pages opened in one context are tabs of one browser. */
  async visitor(view: View = {}): Promise<BrowserContext> {
    const context = await this.browser.newContext({
      baseURL: this.gateway.url,
      viewport: view.size ?? PHONE,
      locale: view.locale ?? 'ja-JP',
      timezoneId: 'Asia/Tokyo',
      reducedMotion: 'reduce',
      ...view.more,
    });
    context.setDefaultTimeout(WAIT_MS);
    return context;
  }

  /** A page that fails the test if it throws or breaks the Content-Security-Policy. */
  async page(context: BrowserContext, path: string): Promise<Watched> {
    const page = await context.newPage();
    const watched = new Watched(page);
    await page.goto(path);
    return watched;
  }
}

function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM_BIN'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-dev-shm-usage',
      '--no-first-run',
    ],
  });
}

/** A page and the faults it had. */
export class Watched {
  readonly faults: string[] = [];

  constructor(readonly page: Page) {
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) this.faults.push(message.text());
    });
  }

  /** No script of the page failed and nothing was blocked. */
  sound(): void {
    assert.deepEqual(this.faults, []);
  }
}

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Fails with what axe finds wrong on the page as it is now. */
export async function accessible(page: Page, where: string): Promise<void> {
  await page.evaluate(AXE);
  const found = await page.evaluate(async (tags) => {
    const { run } = (globalThis as unknown as { axe: typeof axe }).axe;
    const { violations } = await run(document, { runOnly: tags });
    return violations.map(
      (rule) => `${rule.id}: ${rule.nodes.map((node) => `${node.html} ${node.failureSummary ?? ''}`).join(' | ')}`,
    );
  }, RULES);
  assert.deepEqual(found, [], `${where} is not accessible`);
}

/** Compares what a screen reader sees of `selector` with `expected`: these lines, in this order, others between. */
export async function reads(page: Page, expected: readonly (string | RegExp)[], selector = 'body'): Promise<void> {
  const lines = (await page.locator(selector).ariaSnapshot()).split('\n').map((line) => line.trim());
  let at = 0;
  for (const line of lines) {
    const wanted = expected[at];
    if (wanted !== undefined && (typeof wanted === 'string' ? line.includes(wanted) : wanted.test(line))) at += 1;
  }
  assert.equal(at, expected.length, `missing ${String(expected[at])} in\n${lines.join('\n')}`);
}

/** Nothing is wider than the page: no sideways scrolling. */
export async function fits(page: Page, where: string): Promise<void> {
  const [inner, wide] = await page.evaluate(() => [window.innerWidth, document.documentElement.scrollWidth]);
  assert.ok((wide ?? 0) <= (inner ?? 0), `${where} is ${wide} px wide in ${inner} px`);
}

/** Writes docs/screens/NAME.png when screens are asked for (`npm run screens`). */
export async function screen(page: Page, name: string): Promise<void> {
  if (!process.env['SCREENS']) return;
  mkdirSync(SCREENS, { recursive: true });
  await page.screenshot({ path: join(SCREENS, `${name}.png`), animations: 'disabled' });
}
