// The card in the shop: what the phone shows is what a till and the gateway take, with a network and without.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { balance, earn, keptOnPhone, newCard, scan, scanNext } from './card-in-hand.ts';
import { fits, reads, SMALL_PHONE, Stage, screen } from './stage.ts';
import { Till } from './till.ts';

let stage: Stage;
let till: Till;
before(async () => {
  stage = await Stage.open();
  till = new Till(stage.gateway);
});
after(() => stage?.close());

test('one tap makes a card that a till takes, and the phone tells at once what happened', async () => {
  const context = await stage.visitor();
  const watched = await stage.page(context, '/card');
  const { page } = watched;
  await reads(page, ['heading "スマートフォンがポイントカードに"', '会員番号の下4桁', 'button "会員証をつくる"']);
  await screen(page, 'card-welcome');
  await page.getByRole('button', { name: '会員証をつくる' }).click();
  await page.getByRole('img', { name: '会員証のQRコード' }).waitFor();

  const text = await scan(page);
  assert.match(text, /^7001[0-9]{195}$/);
  const basket = till.basket();
  const asked = await till.inquire(text, basket);
  assert.equal(asked.outcome, 'approved');
  const number = (await page.locator('.card-head .number').textContent()) ?? '';
  assert.equal(asked.member?.member_no_masked.slice(-4), number.slice(-4));

  const sold = await till.sell(text, 50_000, 0, basket);
  assert.equal(sold.purchase?.points_earned, 500);
  const happened = page.getByRole('region', { name: 'レジからのお知らせ' });
  await happened.waitFor();
  await happened.getByText('お買い物が完了しました').waitFor();
  await happened.getByRole('strong').getByText('500').waitFor();
  // The store by its name, not its id.
  await happened.getByText('Shibuya').waitFor();
  await screen(page, 'card-after-purchase');
  await happened.getByRole('button', { name: '会員証に戻る' }).click();
  await balance(page, 500);
  await screen(page, 'card');

  const next = await scanNext(page, text);
  const paid = await till.sell(next, 1_000, 300);
  assert.deepEqual([paid.outcome, paid.purchase?.points_redeemed], ['approved', 300]);
  await balance(page, 500 - 300 + (paid.purchase?.points_earned ?? 0));
  watched.sound();
  await context.close();
});

test('what happened names the store from the start, and its id if the name does not come', async () => {
  for (const answered of [true, false]) {
    const { context, page } = await newCard(stage);
    if (!answered) await context.route('**/v1/me/history*', () => undefined);
    await page.evaluate(() => {
      const shown = new Set<string>();
      new MutationObserver(() => {
        for (const part of document.querySelectorAll('.happening')) shown.add(part.textContent ?? '');
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
      Object.assign(globalThis, { shown });
    });
    await till.sell(await scan(page), 300);
    await page
      .locator('.happening')
      .getByText(answered ? 'Shibuya' : 'store-1')
      .waitFor();
    await page.locator('.happening strong').waitFor();
    const shown = await page.evaluate(() => [...(globalThis as unknown as { shown: Set<string> }).shown]);
    const wrong = answered ? 'store-1' : 'Shibuya';
    assert.deepEqual(
      shown.filter((text) => text.includes(wrong)),
      [],
    );
    await context.close();
  }
});

test('a code that was used, or a picture of it, is refused at the next till', async () => {
  const { context, page } = await newCard(stage);
  const text = await scan(page);
  assert.equal((await till.sell(text, 500)).outcome, 'approved');
  const again = await till.sell(text, 500);
  assert.deepEqual([again.outcome, again.reason], ['declined', 'card_already_used']);
  await page.locator('[data-kind="reused"]').waitFor();
  await context.close();
});

test('without a network the card opens, changes its code, and is taken', async () => {
  const { context, page, watched } = await newCard(stage);
  await earn(till, page, 20_000);
  await balance(page, 200);
  await keptOnPhone(page);
  await context.setOffline(true);
  await page.reload();
  await page.locator('.code .qr').waitFor();
  await page.getByText('オフラインです。会員証はこのまま使えます。').waitFor();
  await balance(page, 200);
  const first = await scan(page);
  const second = await scanNext(page, first);
  await screen(page, 'card-offline');
  assert.equal((await till.sell(second, 300, 150)).purchase?.points_redeemed, 150);
  await context.setOffline(false);
  // Back on the network the page catches up with what it missed.
  await balance(page, 50 + 3);
  await page.getByText('オフラインです').waitFor({ state: 'detached' });
  watched.sound();
  await context.close();
});

test('the card goes on while the gateway is away', async () => {
  const { context, page } = await newCard(stage);
  const first = await scan(page);
  await stage.gateway.stop();
  await page.getByText('オフラインです。会員証はこのまま使えます。').waitFor();
  const second = await scanNext(page, first);
  await stage.gateway.start();
  assert.equal((await till.inquire(second)).outcome, 'approved');
  await page.getByText('オフラインです').waitFor({ state: 'detached' });
  await context.close();
});

test('what may be spent is signed into the code', async () => {
  const { context, page } = await newCard(stage);
  await earn(till, page, 50_000);
  await balance(page, 500);
  let text = await scan(page);
  await page.getByRole('button', { name: '上限を変える' }).click();
  await page.getByRole('button', { name: '100 ポイント' }).click();
  text = await scanNext(page, text);
  const above = await till.authorize(text, 200);
  assert.deepEqual([above.outcome, above.reason], ['declined', 'above_card_limit']);
  await page.getByRole('switch', { name: 'ポイントを使う' }).click();
  text = await scanNext(page, text);
  const never = await till.authorize(text, 1);
  assert.deepEqual([never.outcome, never.reason], ['declined', 'spend_not_allowed']);

  await page.reload();
  await page.locator('.code .qr').waitFor();
  assert.equal(await page.getByRole('switch', { name: 'ポイントを使う' }).isChecked(), false);
  await page.getByRole('switch', { name: 'ポイントを使う' }).click();
  await page.getByRole('button', { name: '上限を変える' }).click();
  const typed = page.getByLabel('ほかのポイント数');
  for (const wrong of ['0', '-1', '1.5', 'abc', '99999999']) {
    await typed.fill(wrong);
    await page.getByRole('button', { name: '保存する' }).click();
    await page.getByText('整数を入れてください').waitFor();
  }
  await typed.fill('１２０');
  await page.getByRole('button', { name: '保存する' }).click();
  await page.getByText('120 ポイント まで').waitFor();
  text = await scanNext(page, text);
  assert.equal((await till.authorize(text, 120)).outcome, 'approved');
  await context.close();
});

test('a short code and its barcode do what the code does, once', async () => {
  const { context, page } = await newCard(stage);
  await page.getByRole('button', { name: '読み取れないとき' }).click();
  const shown = page.locator('[data-code]');
  await shown.waitFor();
  await page.getByRole('img', { name: 'バーコード' }).waitFor();
  await screen(page, 'card-short-code');
  const code = (await shown.getAttribute('data-code')) ?? '';
  assert.match(code, /^7002[0-9]{16}$/);
  const sold = await till.sell(code, 10_000);
  assert.equal(sold.purchase?.points_earned, 100);
  assert.equal((await till.inquire(code)).outcome, 'declined');
  // What happened is above the short code, which is used up.
  await page.getByRole('button', { name: '会員証に戻る' }).click();
  await balance(page, 100);
  const text = await scan(page);
  await page.getByRole('button', { name: '上限を変える' }).click();
  await page.getByRole('dialog').waitFor();
  assert.equal((await till.sell(text, 1_000)).outcome, 'approved');
  await page.getByRole('button', { name: '会員証に戻る' }).click();
  await balance(page, 110);
  await context.close();
});

test('every entry of the history says why, and notices keep what happened', async () => {
  const { context, page, watched } = await newCard(stage);
  const sold = await till.sell(await scan(page), 12_300);
  await balance(page, 123);
  await till.refund(sold.purchase?.id ?? '');
  await page.locator('[data-kind="refund"]').waitFor();
  await page.getByRole('button', { name: '会員証に戻る' }).click();
  await page.getByRole('link', { name: '履歴' }).click();
  await page.getByRole('heading', { name: 'ポイントの履歴' }).waitFor();
  await page.getByRole('button', { name: /^お買い物で付与/ }).click();
  await page.getByText('お買い物で123ポイントが付与されました。').waitFor();
  await page
    .getByText(/12300円/)
    .first()
    .waitFor();
  await screen(page, 'card-history');
  await reads(page, ['返品で取消', '−123', 'お買い物で付与', '+123']);
  await page.getByRole('link', { name: /お知らせ/ }).click();
  await reads(page, ['heading "お知らせ"', '返品を受け付けました', 'お買い物が完了しました']);
  await screen(page, 'card-notices');
  watched.sound();
  await context.close();
});

test('a page that was closed tells what it missed', async () => {
  const { context, page } = await newCard(stage);
  const text = await scan(page);
  await page.close();
  await till.sell(text, 7_000);
  const { page: later } = await stage.page(context, '/card');
  await balance(later, 70);
  await later.getByRole('button', { name: '会員証に戻る' }).click();
  await later.getByRole('link', { name: /お知らせ/ }).click();
  await later.locator('.entry-name').getByText('お買い物が完了しました').waitFor();
  await context.close();
});

test('a name full of HTML is only text, and no till sees it', async () => {
  const { context, page, watched } = await newCard(stage, { size: SMALL_PHONE });
  const evil = '<img src=x onerror=alert(1)><script>alert(1)</script>';
  await page.getByRole('link', { name: 'その他' }).click();
  await page.getByRole('link', { name: 'ほかの会員証' }).click();
  await page.getByRole('button', { name: /名前を変える/ }).click();
  await page.getByLabel('名前', { exact: true }).fill(evil);
  await page.getByRole('button', { name: '保存する' }).click();
  await page.getByText('<img src=x onerror=alert(1)><script').waitFor();
  assert.equal(await page.locator('main img').count(), 0);
  await fits(page, 'a card with a long name');
  const asked = await till.inquire(await scanOf(page));
  assert.match(asked.member?.display_name ?? '', /^Member [0-9]{4}$/);
  watched.sound();
  await context.close();
});

/** Goes back to the card and reads it. */
async function scanOf(page: Parameters<typeof scan>[0]): Promise<string> {
  await page.getByRole('link', { name: '会員証', exact: true }).click();
  await page.locator('.code .qr').waitFor();
  return scan(page);
}
