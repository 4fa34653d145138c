// More than one phone, and what else leads to a person: links, addresses, details, the end.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { balance, earn, newCard, scan } from './card-in-hand.ts';
import { accessible, Stage, WAIT_MS } from './stage.ts';
import { Till } from './till.ts';

let stage: Stage;
let till: Till;
before(async () => {
  stage = await Stage.open();
  till = new Till(stage.gateway);
});
after(() => stage?.close());

async function linkCode(page: Page): Promise<string> {
  await page.goto('/card#link');
  await page.getByRole('button', { name: '連携コードを表示' }).click();
  return (await page.locator('.link-code').getAttribute('data-code')) ?? '';
}

/** The code that the demo wrote to its log instead of sending it. */
async function sentCode(after: number): Promise<string> {
  const until = Date.now() + WAIT_MS;
  for (;;) {
    const found = /"code":"([0-9]{6})"/.exec(stage.gateway.log.slice(after));
    if (found?.[1]) return found[1];
    assert.ok(Date.now() < until, `no code in ${stage.gateway.log.slice(after)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('a new phone takes over by a code of the old one, and stops it', async () => {
  const old = await newCard(stage);
  await earn(till, old.page, 30_000);
  const code = await linkCode(old.page);

  const fresh = await newCard(stage);
  await fresh.page.goto('/card#link');
  await fresh.page.getByLabel('連携コード').fill('AAAA-AAAA');
  await fresh.page.getByRole('button', { name: '連携する' }).click();
  await fresh.page.locator('.fault').waitFor();
  await fresh.page.getByLabel('連携コード').fill(code.toLowerCase());
  await fresh.page.getByRole('button', { name: '連携する' }).click();
  await fresh.page.getByRole('dialog', { name: 'ふたつの会員をひとつにします' }).waitFor();
  await accessible(fresh.page, 'the question before a merge');
  await fresh.page.getByRole('button', { name: '統合する' }).click();
  await fresh.page.getByRole('dialog').waitFor({ state: 'detached' });
  await fresh.page.goto('/card');
  await balance(fresh.page, 300);

  await fresh.page.goto('/card#cards');
  const rows = fresh.page.locator('.entry');
  await rows.nth(1).waitFor();
  const other = rows.filter({ hasNotText: 'この端末' });
  await other.getByRole('button', { name: /止める$/ }).click();
  await accessible(fresh.page, 'the question before a card is stopped');
  await fresh.page.getByRole('dialog').getByRole('button', { name: '止める' }).click();
  await other.getByText('に停止').waitFor();

  // The stopped phone says so by itself, and shows a way on.
  await old.page.getByRole('heading', { name: 'この会員証は止められています' }).waitFor();
  await accessible(old.page, 'a card that was stopped');
  await old.page.getByRole('button', { name: '新しい会員証をつくる' }).click();
  await old.page.locator('.code .qr').waitFor();
  await fresh.page.goto('/card');
  assert.equal((await till.sell(await scan(fresh.page), 300, 300)).outcome, 'approved');
  for (const { context, watched } of [old, fresh]) {
    watched.sound();
    await context.close();
  }
});

test('points come back by a verified address, and are only earned with for a while', async () => {
  const old = await newCard(stage);
  await earn(till, old.page, 40_000);
  const verify = async (page: Page): Promise<void> => {
    await page.goto('/card#addresses');
    await page.getByRole('textbox', { name: 'メールアドレス' }).fill('hanako@example.jp');
    const log = stage.gateway.log.length;
    await page.getByRole('button', { name: '確認コードを送る' }).click();
    await page.getByLabel('6桁のコード').fill('12345');
    await page.getByRole('button', { name: '確認する' }).click();
    await page.getByText('6桁の数字を入れてください').waitFor();
    await page.getByLabel('6桁のコード').fill(await sentCode(log));
    await accessible(page, 'the code of an address');
    await page.getByRole('button', { name: '確認する' }).click();
  };
  await verify(old.page);
  await old.page.getByText('確認しました。').waitFor();
  // The phone is lost; nothing is left of its storage.
  await old.context.close();

  const fresh = await newCard(stage);
  await verify(fresh.page);
  await fresh.page.getByRole('button', { name: '統合する' }).click();
  await fresh.page.getByText('確認しました。').waitFor();
  await fresh.page.goto('/card');
  await balance(fresh.page, 400);
  await fresh.page.getByText('ためるだけで使えません').waitFor();
  await accessible(fresh.page, 'a card that only earns');
  fresh.watched.sound();
  await fresh.context.close();
});

test('details and consents are kept, corrected by field, and exported', async () => {
  const { context, page, watched } = await newCard(stage);
  await page.goto('/card#profile');
  await page.getByLabel('名前').fill('山田 花子');
  await page.getByLabel('メールアドレス').fill('no address');
  await page.getByLabel('お得な情報をメールで受け取る').check();
  await page.getByRole('button', { name: '保存する' }).click();
  await page.locator('.fault').getByText('入力を確かめてください').waitFor();
  assert.equal(await page.getByLabel('メールアドレス').getAttribute('aria-invalid'), 'true');
  await accessible(page, 'details with a mistake');
  await page.getByLabel('メールアドレス').fill('hanako@example.jp');
  await page.getByRole('button', { name: '保存する' }).click();
  await page.getByText(/に同意/).waitFor();
  await page.goto('/card');
  await page.goto('/card#profile');
  await page.getByLabel('名前').waitFor();
  assert.equal(await page.getByLabel('名前').inputValue(), '山田 花子');
  await page.getByLabel('お得な情報をメールで受け取る').uncheck();
  await page.getByRole('button', { name: '保存する' }).click();
  await page.getByText('保存しました。').first().waitFor();

  await page.goto('/card#data');
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: '書き出す' }).click(),
  ]);
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(await file.path(), 'utf8');
  assert.match(text, /山田 花子/);
  assert.match(text, /withdrawn_at/);
  watched.sound();
  await context.close();
});

test('who leaves is forgotten, and the phone begins anew', async () => {
  const { context, page, watched } = await newCard(stage);
  await earn(till, page, 10_000);
  const number = await page.locator('.card-head .number').textContent();
  await page.goto('/card#data');
  await page.getByRole('button', { name: '退会する' }).click();
  const dialog = page.getByRole('dialog');
  const leave = dialog.getByRole('button', { name: '退会する' });
  assert.equal(await leave.getAttribute('aria-disabled'), 'true');
  await dialog.getByLabel('「退会」と入力してください').fill('退会');
  await leave.click();
  await page.getByRole('button', { name: '会員証をつくる' }).click();
  await balance(page, 0);
  assert.notEqual(await page.locator('.card-head .number').textContent(), number);
  watched.sound();
  await context.close();
});

test('what a store has not set up is said in plain words', async () => {
  const { context, page } = await newCard(stage);
  await page.goto('/card#wallet');
  await page.getByRole('button', { name: /Google ウォレット用/ }).click();
  await page.locator('.fault').getByText('このお店では、この機能はまだ使えません。').waitFor();
  await accessible(page, 'a wallet that is not set up');
  await context.close();
});
