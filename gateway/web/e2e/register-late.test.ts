// What comes out otherwise than the cashier was told, or than the shopper was paid: it is shown to a person, with its receipt.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { Card, LineToGateway, openRegister, rows, wedge } from './register-stage.ts';
import { accessible, Stage } from './stage.ts';
import { Till } from './till.ts';

let stage: Stage;
let line: LineToGateway;
before(async () => {
  stage = await Stage.open();
  line = await LineToGateway.open(stage.gateway);
});
after(async () => {
  line?.close();
  await stage?.close();
});

interface Kept {
  number: string;
  purchase: { id: string };
}

/** A mug and 100,000 yen of something else. */
async function sellTwo(page: Page): Promise<Kept> {
  await wedge(page, '4912345670069');
  await wedge(page, new Card(stage.gateway).text());
  await page.getByText('利用可能').waitFor();
  await page.locator('#entry').fill('100000');
  await page.keyboard.press('F9');
  await page.getByText('付与ポイント').waitFor();
  const [kept] = await rows<Kept>(page, 'receipts');
  assert.ok(kept);
  return kept;
}

/** The mug comes back elsewhere, so this register's numbers are not the gateway's any more. */
async function returnMugElsewhere({ purchase }: Kept): Promise<void> {
  const returned = await fetch(`${stage.gateway.url}/v1/pos/purchases/${purchase.id}/refunds`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await stage.gateway.token('till-1')}` },
    body: JSON.stringify({ request_id: `elsewhere-${purchase.id}`, lines: [{ line_no: 1, quantity: 1 }] }),
  });
  assert.equal(((await returned.json()) as { outcome: string }).outcome, 'approved');
}

async function undo(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'この会計を取り消す' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'この会計を取り消す' }).click();
}

const WRONG = '101,100円 をお返ししましたが、正しくは 100,000円 でした。';

test('an undone sale gives back what the gateway says, not all that was paid', async () => {
  const { page, context } = await openRegister(stage, { line });
  const sold = await sellTwo(page);
  await returnMugElsewhere(sold);
  await undo(page);
  await page.getByText('100,000円 をお返しください。').first().waitFor();
  await accessible(page, 'undone');
  await page.keyboard.press('F7');
  await page.getByText('−100,000円').waitFor();
  await context.close();
});

test('a queued refund of other money than was given back is shown with its receipt', async () => {
  const { page, context } = await openRegister(stage, { line });
  const sold = await sellTwo(page);
  await page.keyboard.press('F6');
  await page.locator('dialog .wide-button').first().click();
  await page.getByRole('button', { name: '返品の内容を確認' }).click();
  await page.getByRole('heading', { name: '返品の内容' }).waitFor();
  line.fault = (_, path) => (/refunds$|requests/.test(path) ? 'cut_before' : undefined);
  await page.getByRole('button', { name: '返品する' }).click();
  await page.getByText('返品は成立しました。').waitFor();
  await returnMugElsewhere(sold);
  line.fault = () => undefined;
  await page.keyboard.press('Escape');
  await page.keyboard.press('F10');
  await page.getByText(new RegExp(`返品 ${sold.number}.*${WRONG}`)).waitFor({ timeout: 90_000 });
  await accessible(page, 'other money');
  await context.close();
});

test('a queued reversal of other money than was given back is shown with its receipt', async () => {
  const { page, context } = await openRegister(stage, { line });
  const sold = await sellTwo(page);
  line.fault = (_, path) => (/reversals$|requests/.test(path) ? 'cut_before' : undefined);
  await undo(page);
  await page.getByText('101,100円 をお返しください。').first().waitFor();
  await returnMugElsewhere(sold);
  line.fault = () => undefined;
  await page.keyboard.press('F10');
  await page.getByText(new RegExp(`取消 ${sold.number}.*${WRONG}`)).waitFor({ timeout: 90_000 });
  await context.close();
});

test('a late decline that a crash kept from the screen is shown after the next start', async () => {
  const { page, context } = await openRegister(stage, { line });
  const text = new Card(stage.gateway).text();
  const sold = await new Till(stage.gateway).sell(text, 1_000);
  assert.equal(sold.outcome, 'approved');
  line.fault = () => 'cut_before';
  await wedge(page, text);
  await page.getByText('付与は後ほど反映されます。').first().waitFor();
  await page.locator('#entry').fill('700');
  await page.keyboard.press('F9');
  await page.getByText('会計は成立しました。').waitFor();
  line.fault = () => undefined;
  await page.getByText('ポイントは付きませんでした。').waitFor({ timeout: 90_000 });
  await page.keyboard.press('F10');
  await page.getByText('このコードは使用済みです。').first().waitFor();
  // As if it had broken down after the journal's entry, before anything else was written.
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const opening = indexedDB.open('register');
        opening.onsuccess = () => {
          const transaction = opening.result.transaction(['state', 'receipts'], 'readwrite');
          transaction.objectStore('state').delete('attention');
          const walk = transaction.objectStore('receipts').openCursor();
          walk.onsuccess = () => {
            if (!walk.result) return;
            walk.result.update({ ...walk.result.value, points: 'queued' });
            walk.result.continue();
          };
          transaction.oncomplete = () => {
            opening.result.close();
            resolve();
          };
        };
      }),
  );
  await page.reload();
  await page.locator('#entry').waitFor();
  await page.keyboard.press('F10');
  await page.getByRole('heading', { name: '確認が必要です' }).waitFor();
  await page.getByText('このコードは使用済みです。').first().waitFor();
  await context.close();
});

test('a browser that may throw the journal away is said, and signing out clears the open sale', async () => {
  const { page, context } = await openRegister(stage, { line });
  await context.addInitScript(() => {
    navigator.storage.persisted = async () => false;
  });
  await page.reload();
  await page.locator('#entry').waitFor();
  await page.keyboard.press('F10');
  await page.getByText('レジの記録を消すことがあります。').waitFor();
  await accessible(page, 'not persistent');
  await page.keyboard.press('Escape');
  await wedge(page, new Card(stage.gateway).text());
  await page.getByText('利用可能').waitFor();
  const name = (await page.locator('.who').innerText()).split(' ')[0] ?? '';
  assert.match(JSON.stringify(await rows(page, 'state')), new RegExp(name));
  await page.getByRole('button', { name: '設定' }).click();
  await page.getByText('会員名のあるレシートと記録は残ります。').waitFor();
  await page.getByRole('button', { name: 'この端末から鍵を消す' }).click();
  await page.getByRole('button', { name: 'レジを開く' }).waitFor();
  const state = JSON.stringify(await rows(page, 'state'));
  assert.doesNotMatch(state, new RegExp(name));
  assert.doesNotMatch(state, /demo-till-1-secret/);
  await context.close();
});
