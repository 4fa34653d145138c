// Staff at work on what is not members: stores, tills, shops, clients and their secrets, health, dead letters, acts and
// figures.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { confirm, deadLetter, desk, dialog, visit } from './console.ts';
import { accessible, Stage } from './stage.ts';

const XSS = '<img src=x onerror="globalThis.hacked=1">';

let stage: Stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage?.close());

test('a store and its till are added; a name is text whatever it holds; a second time it exists', async () => {
  const { page, context, watched } = await desk(stage, 'staff-1', '#/stores');
  await page.getByRole('button', { name: '店舗を追加' }).click();
  await dialog(page).getByLabel('店舗 ID').fill('store-9');
  await dialog(page).getByLabel('名前').fill(XSS);
  await confirm(page, 'opens in spring');
  await page
    .getByRole('row', { name: /store-9/ })
    .getByText(XSS)
    .waitFor();
  await page.getByRole('button', { name: 'レジを追加' }).click();
  await dialog(page).getByLabel('レジ ID').fill('till-9');
  await dialog(page).getByLabel('店舗').selectOption('store-9');
  await confirm(page, XSS);
  await page.getByRole('row', { name: /till-9 store-9/ }).waitFor();
  await page.getByRole('button', { name: '店舗を追加' }).click();
  await dialog(page).getByLabel('店舗 ID').fill('store-9');
  await dialog(page).getByLabel('名前').fill('Again');
  await dialog(page).getByLabel('理由').fill('again');
  await dialog(page).locator('button[type="submit"]').click();
  await dialog(page).getByRole('alert').getByText('すでにあります。').waitFor();
  await page.keyboard.press('Escape');
  await visit(page, '#/acts', '操作の記録');
  await page.getByRole('row', { name: /店舗の追加.*opens in spring.*完了/ }).waitFor();
  await page.getByRole('row', { name: /店舗の追加.*again.*不可.*すでにあります/ }).waitFor();
  assert.equal(await page.evaluate(() => 'hacked' in globalThis), false);
  watched.sound();
  await context.close();
});

test('the secret of a new client is shown once, works, and is gone; rotated and disabled it works no more', async () => {
  const { page, context, watched } = await desk(stage, 'staff-1', '#/clients', {
    more: { permissions: ['clipboard-read', 'clipboard-write'] },
  });
  await page.getByRole('button', { name: 'クライアントを追加' }).click();
  await dialog(page).getByLabel('クライアント ID').fill('till-client-9');
  const purposes = await dialog(page).getByLabel('用途').locator('option').count();
  assert.equal(purposes, 2, 'nobody is offered to make a colleague');
  await confirm(page, 'new till');
  const field = dialog(page).getByLabel('シークレット', { exact: true });
  const secret = await field.inputValue();
  assert.ok(secret.length >= 16);
  await accessible(page, 'a secret');
  await dialog(page).getByRole('button', { name: 'コピー' }).click();
  await dialog(page).getByText('コピーしました。').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  await page.keyboard.press('Escape');
  assert.equal(await field.inputValue(), secret, 'one key does not lose it');
  await dialog(page).getByRole('button', { name: '控えたので閉じる' }).click();
  await field.waitFor({ state: 'detached' });
  await visit(page, '#/stores', '店舗とレジ');
  await visit(page, '#/clients', 'クライアント');
  assert.ok(!(await page.content()).includes(secret), 'the secret is still in the page');

  const signsIn = async (candidate: string) => {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'till-client-9',
      client_secret: candidate,
    });
    const answer = await fetch(`${stage.gateway.url}/oauth/token`, { method: 'POST', body });
    return answer.status;
  };
  assert.equal(await signsIn(secret), 200);
  await page.getByRole('button', { name: 'till-client-9 のシークレットを更新' }).click();
  await confirm(page, 'told to the wrong person');
  const next = await dialog(page).getByLabel('シークレット', { exact: true }).inputValue();
  assert.notEqual(next, secret);
  await dialog(page).getByRole('button', { name: '控えたので閉じる' }).click();
  assert.equal(await signsIn(secret), 401);
  assert.equal(await signsIn(next), 200);
  await page.getByRole('button', { name: 'till-client-9 を無効にする' }).click();
  await confirm(page, 'the till is gone');
  await page.getByRole('row', { name: /till-client-9.*無効/ }).waitFor();
  assert.equal(await signsIn(next), 401);
  const colleague = page.getByRole('button', { name: 'staff-2 のシークレットを更新' });
  assert.equal(await colleague.count(), 0, 'nobody is offered the secret of another manager');
  const own = page.getByRole('button', { name: 'staff-1 を無効にする' });
  assert.equal(await own.count(), 0, 'nobody is offered to disable their own client');
  watched.sound();
  await context.close();
});

test('a shop is added with its secret shown once, rotated and disabled', async () => {
  const { page, context, watched } = await desk(stage, 'staff-1', '#/shops');
  await page.getByRole('button', { name: 'ショップを追加' }).click();
  await dialog(page).getByLabel('ショップ ID').fill('shop-9');
  await dialog(page).getByLabel('名前').fill(`お茶 ${XSS}`);
  await confirm(page, 'new shop');
  const first = await dialog(page).getByLabel('シークレット', { exact: true }).inputValue();
  await dialog(page).getByRole('button', { name: '控えたので閉じる' }).click();
  await page
    .getByRole('row', { name: /shop-9/ })
    .getByText(`お茶 ${XSS}`)
    .waitFor();
  await page.getByRole('button', { name: 'shop-9 のシークレットを更新' }).click();
  await confirm(page, 'yearly');
  const second = await dialog(page).getByLabel('シークレット', { exact: true }).inputValue();
  assert.notEqual(second, first);
  await dialog(page).getByRole('button', { name: '控えたので閉じる' }).click();
  await page.getByRole('button', { name: 'shop-9 を無効にする' }).click();
  await confirm(page, 'closed');
  await page.getByRole('row', { name: /shop-9.*無効/ }).waitFor();
  assert.equal(await page.evaluate(() => 'hacked' in globalThis), false);
  watched.sound();
  await context.close();
});

test('health refreshes while it is looked at, and dead letters are replayed', async () => {
  const { page, context, watched } = await desk(stage, 'staff-1', '#/health');
  await page.getByRole('heading', { name: 'データベース' }).waitFor();
  const letters = page.getByRole('button', { name: /^連絡 .* をやり直す$/ });
  // The demo may have some of its own.
  await page.getByRole('table', { name: '処理できなかった連絡' }).or(page.getByText('ありません。')).waitFor();
  const before = await letters.count();
  await deadLetter(stage.gateway, 'd-1');
  await deadLetter(stage.gateway, 'd-2');
  // Nobody touches the page: it finds them by itself.
  await letters.nth(before + 1).waitFor();
  await page.getByText('/status is missing').first().waitFor();
  await letters.first().click();
  await confirm(page, 'mended at the shop');
  await page.getByText('1 件をやり直します。').first().waitFor();
  await page.getByLabel('ショップで絞り込む').fill('shop-2');
  await page.getByRole('button', { name: 'shop-2 の分をすべてやり直す' }).click();
  await confirm(page, 'mended at the shop');
  await page
    .getByText(/^[2-9] 件をやり直します。$/)
    .first()
    .waitFor();
  watched.sound();
  await context.close();
});

test('a gateway that is away is told, and found again', async () => {
  const own = await Stage.open();
  const { page, context } = await desk(own, 'staff-1', '#/health');
  await page.getByRole('heading', { name: 'データベース' }).waitFor();
  await own.gateway.stop();
  await page.getByText('更新できません。').waitFor();
  await page.getByRole('alert').getByText('応答がありませんでした。').first().waitFor();
  await own.gateway.start();
  await page.getByText('更新できません。').waitFor({ state: 'detached' });
  await context.close();
  await own.close();
});

test('every figure has a chart, a table, a definition and a file', async () => {
  const { page, context, watched } = await desk(stage, 'staff-1', '#/figures/points');
  const figures = page.getByRole('navigation', { name: '数値の種類' });
  for (const [name, file] of [
    ['ポイントの動き', /^points_month_\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d\.csv$/],
    ['会員数', /^members_month_.*\.csv$/],
    ['利用状況', /^activity_month_.*\.csv$/],
    ['店舗と EC の行き来', /^channels\.csv$/],
    ['未利用残高（期限別）', /^liability\.csv$/],
    ['未利用残高（経過日数別）', /^liability-age\.csv$/],
    ['利用率', /^redemption_month_.*\.csv$/],
  ] as const) {
    await figures.getByRole('link', { name, exact: true }).click();
    await page.getByRole('heading', { level: 2, name, exact: true }).waitFor();
    await page
      .getByRole('img', { name: `${name}のグラフ` })
      .locator('canvas')
      .waitFor();
    const table = page.getByRole('table', { name: `${name}の表` });
    await table.waitFor();
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'CSV を保存' }).click();
    const download = await saved;
    assert.match(download.suggestedFilename(), file);
    const csv = readFileSync(await download.path(), 'utf8');
    assert.ok(csv.startsWith('\ufeff'), name);
    const lines = csv.trimEnd().split('\r\n').length;
    assert.equal(await table.getByRole('row').count(), lines, 'the table has the rows of the file');
  }
  const opened = context.waitForEvent('page');
  await page.getByRole('link', { name: /^定義を読む/ }).click();
  const definition = await opened;
  await definition.waitForLoadState();
  assert.match(definition.url(), /redemption/);
  assert.match(await definition.locator('body').innerText(), /granted/i);
  watched.sound();
  await context.close();
});

test('a period is chosen, stands in the address, and counts for table and file', async () => {
  const { page, context, watched } = await desk(stage, 'staff-1', '#/figures/points');
  const today = new Date().toISOString().slice(0, 10);
  const before = new Date(Date.now() - 9 * 86_400_000).toISOString().slice(0, 10);
  const table = page.getByRole('table', { name: 'ポイントの動きの表' });
  await table.waitFor();
  await page.getByLabel('開始日').fill(today);
  await page.getByLabel('終了日').fill(before);
  await page.getByRole('button', { name: '表示する' }).click();
  await page.getByText('開始日が終了日より後です。').waitFor();
  await page.getByLabel('単位').selectOption('day');
  await page.getByLabel('開始日').fill(before);
  await page.getByLabel('終了日').fill(today);
  await page.getByRole('button', { name: '表示する' }).click();
  await page.waitForURL((url) => url.hash === `#/figures/points?by=day&from=${before}&to=${today}`);
  await table.getByRole('row', { name: new RegExp(`^${today}`) }).waitFor();
  assert.equal(await table.getByRole('row').count(), 11);
  await page.reload();
  await table.getByRole('row', { name: new RegExp(`^${before}`) }).waitFor();
  watched.sound();
  await context.close();
});
