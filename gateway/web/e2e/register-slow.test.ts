// What a cashier does while an answer is under way: nothing is given that is not captured, and nothing is sold twice.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { Card, LineToGateway, onward, openRegister, pointsOf, rows, slow, types, wedge } from './register-stage.ts';
import { accessible, Stage } from './stage.ts';

const MUG = '4912345670069';
const WAIT = '確認が終わるまでお待ちください。';
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
  totals: { total: number };
  pointsUsed: number;
}

async function scanMember(page: Page, card: Card): Promise<void> {
  await wedge(page, card.text());
  await page.getByText('利用可能').waitFor();
}

/** Asks for 500 points and leaves the dialog before the answer is there. */
async function holdSlowly(page: Page): Promise<() => void> {
  const answer = slow(line, '/v1/pos/authorizations');
  await page.keyboard.press('F2');
  await page.getByRole('dialog', { name: 'ポイントを使う' }).waitFor();
  await types(page, '500');
  const asked = page.waitForRequest(/\/v1\/pos\/authorizations$/);
  await page.keyboard.press('Enter');
  await asked;
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  return answer;
}

async function dropBasket(page: Page): Promise<void> {
  await page.getByRole('button', { name: '会計を取りやめる' }).click();
  await page.getByRole('dialog').getByRole('button', { name: '会計を取りやめる' }).click();
}

test('the member stays while points are being held, and the hold is captured', async () => {
  const { page, context } = await openRegister(stage, { line });
  const card = new Card(stage.gateway);
  const points = await pointsOf(stage, card);
  await wedge(page, MUG);
  await scanMember(page, card);
  const answer = await holdSlowly(page);
  await page.getByRole('button', { name: '会員を外す' }).click();
  await page.getByText(WAIT).first().waitFor();
  await accessible(page, 'hold under way');
  // Nor does another card take this one's place.
  await wedge(page, new Card(stage.gateway, 'card-2.pem').text());
  answer();
  await page.getByText('500 ポイント を利用').waitFor();
  const before = line.count('POST /v1/pos/purchases');
  await page.keyboard.press('F9');
  await page.getByText('付与ポイント').waitFor();
  assert.equal(line.count('POST /v1/pos/purchases'), before + 1);
  assert.equal(await pointsOf(stage, card), points - 500 + 11);
  await context.close();
});

test('a basket is not dropped while points are being held, and gives them back afterwards', async () => {
  const { page, context } = await openRegister(stage, { line });
  const card = new Card(stage.gateway);
  const points = await pointsOf(stage, card);
  await wedge(page, MUG);
  await scanMember(page, card);
  const answer = await holdSlowly(page);
  await dropBasket(page);
  await page.getByText(WAIT).first().waitFor();
  answer();
  await page.getByText('500 ポイント を利用').waitFor();
  assert.equal(await pointsOf(stage, card), points - 500);
  await dropBasket(page);
  await page.getByText('まだ明細がありません。').waitFor();
  assert.equal(await pointsOf(stage, card), points);
  await context.close();
});

for (const withCard of [true, false]) {
  test(`a key that is hit twice completes one sale, ${withCard ? 'with' : 'without'} a card`, async () => {
    const { page, context } = await openRegister(stage, { line });
    await wedge(page, MUG);
    if (withCard) await scanMember(page, new Card(stage.gateway));
    await page.getByText('1,100円').first().waitFor();
    await page.evaluate(() => {
      for (let count = 0; count < 2; count += 1) {
        document.dispatchEvent(new KeyboardEvent('keydown', { code: 'F9', key: 'F9', cancelable: true }));
      }
    });
    await page.getByRole('heading', { name: 'レシート' }).waitFor();
    await onward(page);
    assert.equal((await rows<Kept>(page, 'receipts')).length, 1);
    await context.close();
  });
}

test('what is scanned, typed or dropped while the sale is under way is not said to be done', async () => {
  const { page, context } = await openRegister(stage, { line });
  await wedge(page, MUG);
  await scanMember(page, new Card(stage.gateway));
  const answer = slow(line, '/v1/pos/purchases');
  const asked = page.waitForRequest(/\/v1\/pos\/purchases$/);
  await page.keyboard.press('F9');
  await asked;
  await wedge(page, MUG);
  await page.getByText(WAIT).first().waitFor();
  await page.locator('#entry').fill('300');
  await page.locator('#entry').press('Enter');
  assert.equal(await page.locator('#entry').inputValue(), '300');
  await dropBasket(page);
  assert.equal(await page.locator('.line').count(), 1);
  answer();
  await page.getByText('付与ポイント').waitFor();
  const receipts = await rows<Kept>(page, 'receipts');
  assert.deepEqual(
    receipts.map(({ totals }) => totals.total),
    [1_100],
  );
  await context.close();
});

test('a clock that goes back writes over no receipt', async () => {
  const { page, context } = await openRegister(stage, { line });
  const real = await page.evaluate(() => Date.now());
  const sell = async (daysAhead: number): Promise<void> => {
    await page.evaluate(
      (at) => {
        Date.now = () => at;
      },
      real + daysAhead * 86_400_000,
    );
    await wedge(page, MUG);
    await page.keyboard.press('F9');
    await page.getByRole('heading', { name: 'レシート' }).waitFor();
    await onward(page);
  };
  for (const day of [0, 1, 0, 1]) await sell(day);
  const numbers = (await rows<Kept>(page, 'receipts')).map(({ number }) => number.slice(7));
  assert.deepEqual(numbers, ['0001', '0002', '0001', '0002']);
  await context.close();
});
