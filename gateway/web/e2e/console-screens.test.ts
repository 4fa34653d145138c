// Every screen of the console as rules, hands and eyes find it: accessible, in both languages, on a phone and a desktop,
// light and dark, by keyboard alone. Screenshots on the way.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { deadLetter, desk, dialog, memberNo, phone, visit } from './console.ts';
import { accessible, DESKTOP, fits, reads, SMALL_PHONE, Stage, screen } from './stage.ts';

let stage: Stage;
before(async () => {
  stage = await Stage.open();
  const profile = { name: '山田 花子', kana: 'ヤマダ ハナコ', email: 'hanako@example.jp', birthday: '1990-04-01' };
  for (const which of [1, 2] as const)
    await phone(stage.gateway, which, 'PUT', '/v1/me/profile', { version: 0, profile });
  await proposal(stage);
  await deadLetter(stage.gateway, 'd-1');
});
after(() => stage?.close());

/** An adjustment that waits for another person. */
async function proposal({ gateway }: Stage): Promise<void> {
  const headers = { authorization: `Bearer ${await gateway.token('staff-2')}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ direction: 'grant', points: 5000, reason: 'goodwill, call 4711' });
  const path = `/v1/admin/members/${memberNo(gateway, 1)}/adjustments`;
  const answer = await fetch(gateway.url + path, { method: 'POST', headers, body });
  assert.ok(answer.ok, await answer.text());
}

/** The screens whose pictures are kept for people to look at. */
const SHOWN = new Set([
  ...['member', 'history', 'why', 'adjust', 'merge', 'proposals'].map((name) => `${name}-desktop`),
  ...['health', 'figure-points', 'figure-channels', 'acts', 'clients'].map((name) => `${name}-desktop`),
  ...['member', 'adjust', 'figure-channels'].map((name) => `${name}-phone-dark`),
]);

async function keep(page: Page, name: string): Promise<void> {
  if (SHOWN.has(name)) await screen(page, `console-${name}`);
}

interface Place {
  hash: string;
  /** What is there once everything is read. */
  ready: (page: Page) => Promise<void>;
  name: string;
}

function places(): Place[] {
  const [one, two] = [memberNo(stage.gateway, 1), memberNo(stage.gateway, 2)];
  const table = (page: Page) => page.getByRole('table').first().waitFor();
  const settled = (page: Page) =>
    page
      .locator('main section.panel')
      .filter({ has: page.locator('table, p.hint') })
      .first()
      .waitFor();
  const chart = (page: Page) => page.locator('.chart canvas').waitFor();
  return [
    { hash: '#/members', name: 'search', ready: (page: Page) => page.locator('form.search').waitFor() },
    { hash: `#/members/${one}`, name: 'member', ready: table },
    { hash: `#/members/${one}/points`, name: 'lots', ready: table },
    { hash: `#/members/${one}/history`, name: 'history', ready: table },
    { hash: `#/members/${one}/orders`, name: 'orders', ready: settled },
    { hash: `#/members/${one}/merges`, name: 'merges', ready: settled },
    { hash: `#/members/${one}/accesses`, name: 'accesses', ready: table },
    { hash: '#/proposals', name: 'proposals', ready: table },
    { hash: '#/merging', name: 'merging', ready: table },
    { hash: `#/merging/${one}/${two}`, name: 'merge', ready: table },
    { hash: '#/stores', name: 'stores', ready: table },
    { hash: '#/shops', name: 'shops', ready: table },
    { hash: '#/clients', name: 'clients', ready: table },
    { hash: '#/health', name: 'health', ready: table },
    { hash: '#/figures/points', name: 'figure-points', ready: chart },
    { hash: '#/figures/members', name: 'figure-members', ready: chart },
    { hash: '#/figures/liability-age', name: 'figure-liability-age', ready: chart },
    { hash: '#/figures/channels', name: 'figure-channels', ready: chart },
    { hash: '#/acts', name: 'acts', ready: table },
    { hash: '#/nowhere', name: 'nowhere', ready: (page: Page) => page.locator('h1').waitFor() },
  ];
}

for (const [name, view] of [
  ['desktop, Japanese, light', { size: DESKTOP, locale: 'ja-JP', more: { colorScheme: 'light' } }],
  ['small phone, English, dark', { size: SMALL_PHONE, locale: 'en-GB', more: { colorScheme: 'dark' } }],
] as const) {
  test(`every screen is accessible and fits: ${name}`, async () => {
    const size = view.size === DESKTOP ? 'desktop' : 'phone-dark';
    const context = await stage.visitor(view);
    const { page: before } = await stage.page(context, '/console');
    await before.locator('input[name="client_id"]').waitFor();
    await accessible(before, `sign-in, ${name}`);
    await fits(before, `sign-in, ${name}`);
    await context.close();
    const { page, context: inside, watched } = await desk(stage, 'staff-1', '#/members', view);
    for (const place of places()) {
      await visit(page, place.hash, /./);
      await place.ready(page);
      await page
        .getByText(/読み込んでいます|Loading…/)
        .first()
        .waitFor({ state: 'detached' });
      const where = `${place.name}, ${name}`;
      await accessible(page, where);
      await fits(page, where);
      await keep(page, `${place.name}-${size}`);
    }
    watched.sound();
    await inside.close();
  });

  test(`dialogs are accessible and fit: ${name}`, async () => {
    const { page, context, watched } = await desk(stage, 'staff-1', `#/members/${memberNo(stage.gateway, 1)}`, view);
    const size = view.size === DESKTOP ? 'desktop' : 'phone-dark';
    for (const [act, file] of [
      [/^(ポイントを調整|Adjust points)$/, 'adjust'],
      [/^(個人情報を開く|Open personal data)$/, 'open-profile'],
      [/^(停止する|Block)$/, 'block'],
      [/^(消去する|Erase)$/, 'erase'],
    ] as const) {
      await page.getByRole('button', { name: act }).click();
      // With what is wrong shown, too.
      await dialog(page).locator('button[type="submit"]').click();
      await dialog(page).locator('[aria-invalid="true"]').first().waitFor();
      await accessible(page, `${file}, ${name}`);
      await fits(page, `${file}, ${name}`);
      await keep(page, `${file}-${size}`);
      await page.keyboard.press('Escape');
      await page.locator('dialog[open]').waitFor({ state: 'detached' });
    }
    await page.getByRole('link', { name: /^(履歴|History)$/ }).click();
    await page
      .getByRole('button', { name: /^(なぜ|Why)/ })
      .first()
      .click();
    await dialog(page).locator('.lines').first().waitFor();
    await accessible(page, `why, ${name}`);
    await keep(page, `why-${size}`);
    watched.sound();
    await context.close();
  });
}

test('the whole console speaks English, and the switch changes it in place', async () => {
  const { page, context, watched } = await desk(stage, 'staff-1', `#/members/${memberNo(stage.gateway, 1)}/history`, {
    locale: 'en-GB',
  });
  await reads(page, [
    'button "Sign out"',
    'navigation "Main menu"',
    'link "Members"',
    'link "Acts"',
    'heading "Member',
  ]);
  await page
    .getByRole('row', { name: /Adjustment/ })
    .first()
    .waitFor();
  await page.getByRole('button', { name: 'Adjust points' }).click();
  await dialog(page).getByLabel('Reason').fill('typed in English');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: '日本語' }).click();
  await page
    .getByRole('row', { name: /手動の調整/ })
    .first()
    .waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'ja');
  await reads(page, ['button "サインアウト"', 'navigation "メインメニュー"', 'heading "会員']);
  watched.sound();
  await context.close();
});

/** Presses Tab until this has the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    const text = await page.evaluate(() => {
      const at = document.activeElement;
      const labels = at instanceof HTMLInputElement || at instanceof HTMLSelectElement ? [...(at.labels ?? [])] : [];
      const named = labels.map((label) => label.textContent).join(' ');
      return named || [at?.getAttribute('aria-label'), at?.textContent].join(' ');
    });
    if (name.test(text)) return;
  }
  assert.fail(`${name} cannot be reached by keyboard`);
}

test('a member is found and adjusted by keyboard alone', async () => {
  const context = await stage.visitor({ size: DESKTOP });
  const watched = await stage.page(context, '/console');
  const { page } = watched;
  const number = memberNo(stage.gateway, 2);
  await page.locator('input[name="client_id"]').waitFor();
  await tabTo(page, /クライアント ID/);
  await page.keyboard.type('staff-1');
  await page.keyboard.press('Tab');
  await page.keyboard.type('demo-staff-1-secret');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: '会員を探す' }).waitFor();
  await page.keyboard.press('Tab');
  await tabTo(page, /会員番号/);
  await page.keyboard.type(number);
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: number }).first().waitFor();
  await tabTo(page, new RegExp(`^[\\s]*${number}`));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: number }).waitFor();
  await page.getByRole('button', { name: 'ポイントを調整' }).waitFor();
  await tabTo(page, /ポイントを調整/);
  await page.keyboard.press('Enter');
  await dialog(page).waitFor();
  await tabTo(page, /ポイント数/);
  await page.keyboard.type('12');
  await tabTo(page, /理由/);
  await page.keyboard.type('by keyboard');
  await page.keyboard.press('Enter');
  await page
    .getByText(/^調整しました。/)
    .first()
    .waitFor();
  const back = await page.evaluate(() => document.activeElement?.textContent);
  assert.match(back ?? '', /ポイントを調整/, 'the focus is back where it was');
  watched.sound();
  await context.close();
});
