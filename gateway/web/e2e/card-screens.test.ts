// Every screen of the card page as different people meet it: with a screen reader, with keys only, on a small phone, with
// text at twice the size, in Japanese and English.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { balance, earn, newCard, scan, scanNext } from './card-in-hand.ts';
import { accessible, DESKTOP, fits, PHONE, reads, SMALL_PHONE, Stage, screen } from './stage.ts';
import { Till } from './till.ts';

let stage: Stage;
let till: Till;
before(async () => {
  stage = await Stage.open();
  till = new Till(stage.gateway);
});
after(() => stage?.close());

/** Those that a picture is kept of. */
const SHOWN = new Set(['more', 'cards', 'link', 'profile']);
const BELOW = ['cards', 'link', 'addresses', 'profile', 'wallet', 'data', 'recover'] as const;

/** Opens every screen in turn, with something on it. */
async function everyScreen(page: Page, look: (where: string) => Promise<void>): Promise<void> {
  await look('card');
  for (const name of ['history', 'notices', 'more', ...BELOW]) {
    await page.evaluate((hash) => {
      location.hash = hash;
    }, name);
    await page.locator('h1:focus').waitFor();
    await page.locator('main [role=status]').waitFor({ state: 'detached' });
    if (name === 'history') await page.locator('.entry button').first().click();
    if (name === 'history') await page.locator('.why li').first().waitFor();
    if (name === 'link') await page.locator('section button').last().click();
    await look(name);
  }
}

for (const [locale, language] of [
  ['ja-JP', 'ja'],
  ['en-GB', 'en'],
] as const) {
  for (const [size, viewport] of [
    ['small phone', SMALL_PHONE],
    ['phone', PHONE],
    ['desktop', DESKTOP],
  ] as const) {
    test(`every screen in ${language} on a ${size} is accessible and fits`, async () => {
      const context = await stage.visitor({ locale, size: viewport });
      const watched = await stage.page(context, '/card');
      const { page } = watched;
      await page.getByRole('heading', { level: 1 }).waitFor();
      await accessible(page, `welcome in ${language}`);
      await fits(page, 'welcome');
      await page.locator('button.primary').click();
      await page.locator('.code .qr').waitFor();
      await till.sell(await scan(page), 12_000);
      await page.locator('.happening strong').waitFor();
      await accessible(page, 'what happened');
      await page.locator('.happening button').click();
      await balance(page, 120);
      await everyScreen(page, async (where) => {
        await accessible(page, `${where} in ${language} on a ${size}`);
        await fits(page, `${where} on a ${size}`);
        if (size === 'phone' && language === 'ja' && SHOWN.has(where)) await screen(page, `card-${where}`);
        if (size === 'phone' && language === 'en' && where === 'card') await screen(page, 'card-en');
      });
      watched.sound();
      await context.close();
    });
  }
}

test('dialogs are accessible, and take and give back the focus', async () => {
  const { context, page, watched } = await newCard(stage, { locale: 'en-GB', size: SMALL_PHONE });
  const through = async (button: RegExp, where: string): Promise<void> => {
    const opener = page.getByRole('button', { name: button }).last();
    await opener.click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await dialog.getByText('Loading').waitFor({ state: 'detached' });
    await accessible(page, where);
    await fits(page, where);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    assert.ok(await opener.evaluate((element) => element === document.activeElement), `${where} loses the focus`);
  };
  await through(/Cannot be scanned/, 'the short code');
  await through(/Change the limit/, 'the limit');
  await page.goto('/card#cards');
  await through(/^Rename/, 'renaming');
  await through(/^Stop/, 'revoking');
  await page.goto('/card#data');
  await through(/^Leave/, 'leaving');
  watched.sound();
  await context.close();
});

test('text at twice the size still fits a small phone', async () => {
  const { context, page } = await newCard(stage, { size: SMALL_PHONE });
  await earn(till, page, 12_000);
  await page.evaluate(() => {
    document.documentElement.style.fontSize = '200%';
  });
  await everyScreen(page, async (where) => {
    await fits(page, `${where} at 200 %`);
    await accessible(page, `${where} at 200 %`);
  });
  await context.close();
});

test('the whole card works by keys', async () => {
  const context = await stage.visitor({ locale: 'en-GB' });
  const { page } = await stage.page(context, '/card');
  await page.getByRole('heading', { level: 1 }).waitFor();
  const tabTo = async (role: string, name: RegExp): Promise<void> => {
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press('Tab');
      const focused = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement | null;
        const label =
          element?.getAttribute('aria-label') ?? element?.closest('label')?.textContent ?? element?.textContent;
        return { role: element?.getAttribute('role') ?? element?.tagName.toLowerCase(), label: label ?? '' };
      });
      if (focused.role === role && name.test(focused.label)) return;
    }
    assert.fail(`no way to ${role} ${name} by Tab`);
  };
  await tabTo('button', /Make my card/);
  await page.keyboard.press('Enter');
  await page.locator('.code .qr').waitFor();
  const first = await scan(page);
  await tabTo('switch', /Spend points/);
  await page.keyboard.press('Space');
  const text = await scanNext(page, first);
  assert.equal((await till.authorize(text, 1)).reason, 'spend_not_allowed');
  await tabTo('a', /^More/);
  await page.keyboard.press('Enter');
  await page.locator('h1:focus').getByText('More').waitFor();
  await tabTo('a', /Other cards/);
  await page.keyboard.press('Enter');
  await page.locator('h1:focus').getByText('Your cards').waitFor();
  await tabTo('button', /^Rename/);
  await page.keyboard.press('Enter');
  await tabTo('input', /.*/);
  await page.keyboard.type('My phone');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Rename My phone' }).waitFor();
  await reads(page, ['My phone', 'button "Rename My phone"', 'button "Stop My phone"']);
  await context.close();
});

test('the switch changes the language and is remembered', async () => {
  const { context, page } = await newCard(stage);
  await page.goto('/card#more');
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('heading', { name: 'More' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  await page.reload();
  await page.getByRole('heading', { name: 'More' }).waitFor();
  await page.getByRole('button', { name: '日本語' }).click();
  await page.getByRole('heading', { name: 'その他' }).waitFor();
  await context.close();
});
