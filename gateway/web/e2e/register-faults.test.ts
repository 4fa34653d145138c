// What goes wrong between till and gateway, and in the browser: nothing is lost, nothing doubled, and no unknown outcome is called a decline.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { Card, LineToGateway, openRegister, pointsOf, wedge } from './register-stage.ts';
import { accessible, Stage, screen } from './stage.ts';

const MUG = '4912345670069';
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

/** Waits until the register has nothing open any more. */
async function caughtUp(page: Page): Promise<void> {
  await page.locator('.mark .count').waitFor({ state: 'detached', timeout: 90_000 });
}

async function scanMember(page: Page, card: Card): Promise<void> {
  await wedge(page, card.text());
  await page.getByText('利用可能').waitFor();
}

async function useHundreds(page: Page): Promise<void> {
  await page.keyboard.press('F2');
  await page.getByRole('button', { name: /百ポイント単位/ }).click();
}

/** Each way a sale's message can be cut: one sale comes of it, with its points once. */
for (const fault of ['cut_before', 'cut_after'] as const) {
  test(`a sale whose message is ${fault} becomes one sale`, async () => {
    const { page, context, ...watched } = await openRegister(stage, { line });
    const card = new Card(stage.gateway);
    const points = await pointsOf(stage, card);
    await wedge(page, MUG);
    await scanMember(page, card);
    const before = line.count('POST /v1/pos/purchases');
    line.fault = (_, path) =>
      path === '/v1/pos/purchases' || path.startsWith('/v1/pos/requests/') ? fault : undefined;
    await page.keyboard.press('F9');
    await page.getByText('会計は成立しました。ポイントは後ほど反映されます。').waitFor();
    await accessible(page, 'queued receipt');
    line.fault = () => undefined;
    await caughtUp(page);
    await page.getByText('11 ポイント').first().waitFor();
    assert.equal(await pointsOf(stage, card), points + 11);
    const bodies = line.arrived.slice().filter((each) => each.what === 'POST /v1/pos/purchases');
    assert.ok(bodies.length > before);
    assert.deepEqual(watched.faults, []);
    await context.close();
  });

  test(`a hold whose message is ${fault} is taken off and undone, and the sale goes on`, async () => {
    const { page, context } = await openRegister(stage, { line });
    const card = new Card(stage.gateway);
    const points = await pointsOf(stage, card);
    await wedge(page, MUG);
    await scanMember(page, card);
    const cut = (_: string, path: string) =>
      path === '/v1/pos/authorizations' || path.startsWith('/v1/pos/requests/') || path === '/v1/pos/reversals';
    line.fault = (method, path) => (cut(method, path) ? fault : undefined);
    await useHundreds(page);
    await page.getByText('ポイントを外してください。').first().waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('F9');
    await page.getByRole('heading', { name: 'レシート' }).waitFor();
    line.fault = () => undefined;
    await caughtUp(page);
    assert.equal(await pointsOf(stage, card), points + 11);
    await context.close();
  });
}

test('the gateway is killed in the middle of a sale, and catches up after its restart', async () => {
  const { page, context } = await openRegister(stage, { line });
  const card = new Card(stage.gateway);
  const points = await pointsOf(stage, card);
  await wedge(page, MUG);
  await scanMember(page, card);
  await useHundreds(page);
  await page.getByText('1,100 ポイント を利用').waitFor();
  await stage.gateway.stop();
  await page.keyboard.press('F9');
  await page.getByText('会計は成立しました。').waitFor();
  // Offline earning: the next shopper's card cannot be asked about, and earns all the same.
  await page.keyboard.press('Enter');
  await wedge(page, '4912345670076');
  await wedge(page, card.text());
  await page.getByText('ポイントは使えませんが、付与は後ほど反映されます。').waitFor();
  await accessible(page, 'offline sale');
  await page.keyboard.press('F9');
  await page.getByText('会計は成立しました。').waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.press('F10');
  await page.getByText('センターから返事がありません。').waitFor();
  await accessible(page, 'connection away');
  await screen(page, 'register-connection-away');
  await page.keyboard.press('Escape');
  // Closed and opened again while the gateway is away: the queue is still there.
  await stage.gateway.start();
  await page.reload();
  await page.locator('#entry').waitFor();
  await caughtUp(page);
  assert.equal(await pointsOf(stage, card), points - 1_100 + 11 + 7);
  await page.keyboard.press('F7');
  await page.getByRole('button', { name: 'この日を締める' }).click();
  await page.getByRole('cell').first().waitFor();
  await context.close();
});

test('the gateway is killed at a refund, which counts once', async () => {
  const { page, context } = await openRegister(stage, { line });
  const card = new Card(stage.gateway);
  const points = await pointsOf(stage, card);
  await wedge(page, MUG);
  await scanMember(page, card);
  await page.keyboard.press('F9');
  await page.getByText('付与ポイント').waitFor();
  await page.keyboard.press('F6');
  await page.locator('dialog .wide-button').first().click();
  await page.getByRole('button', { name: '返品の内容を確認' }).click();
  line.fault = (_, path) => (/refunds$|requests/.test(path) ? 'cut_after' : undefined);
  await page.getByRole('button', { name: '返品する' }).click();
  await page.getByText('返品は成立しました。').waitFor();
  line.fault = () => undefined;
  await page.keyboard.press('Escape');
  await caughtUp(page);
  assert.equal(await pointsOf(stage, card), points);
  await context.close();
});

test('a page loaded again goes on where it was, and an open hold is still its own', async () => {
  const { page, context } = await openRegister(stage, { line });
  const card = new Card(stage.gateway);
  const points = await pointsOf(stage, card);
  await wedge(page, MUG);
  await scanMember(page, card);
  await useHundreds(page);
  await page.getByText('を利用').waitFor();
  await page.reload();
  await page.getByText('を利用').waitFor();
  await page.getByText('マグカップ').first().waitFor();
  await page.keyboard.press('F9');
  await page.getByText('付与ポイント').waitFor();
  const used = points >= 1_100 ? 1_100 : points - (points % 100);
  assert.equal(await pointsOf(stage, card), points - used + 11);
  await context.close();
});

test('a page loaded again in the middle of its sale shows one receipt', async () => {
  const { page, context } = await openRegister(stage, { line });
  const card = new Card(stage.gateway);
  const points = await pointsOf(stage, card);
  await wedge(page, MUG);
  await scanMember(page, card);
  line.fault = (_, path) => (/purchases|requests/.test(path) ? 'cut_after' : undefined);
  const arrived = page.waitForRequest(/\/v1\/pos\/purchases$/);
  await page.keyboard.press('F9');
  await arrived;
  await page.reload();
  await page.getByRole('heading', { name: 'レシート' }).waitFor();
  line.fault = () => undefined;
  await caughtUp(page);
  assert.equal(await pointsOf(stage, card), points + 11);
  await context.close();
});

test('a refund that was never shown is shown after the next start', async () => {
  const { page, context } = await openRegister(stage, { line });
  const card = new Card(stage.gateway);
  const points = await pointsOf(stage, card);
  await wedge(page, MUG);
  await scanMember(page, card);
  await page.keyboard.press('F9');
  await page.getByText('付与ポイント').waitFor();
  await page.keyboard.press('F6');
  await page.locator('dialog .wide-button').first().click();
  await page.getByRole('button', { name: '返品の内容を確認' }).click();
  line.fault = (_, path) => (/refunds$|requests/.test(path) ? 'cut_after' : undefined);
  const arrived = page.waitForRequest(/\/refunds$/);
  await page.getByRole('button', { name: '返品する' }).click();
  await arrived;
  await page.reload();
  await page.getByText('前回の終了前に表示できなかった処理').waitFor();
  await accessible(page, 'what was not shown');
  line.fault = () => undefined;
  await page.getByRole('button', { name: '確認しました' }).click();
  await caughtUp(page);
  assert.equal(await pointsOf(stage, card), points);
  await page.reload();
  await page.locator('#entry').waitFor();
  assert.equal(await page.getByText('前回の終了前に').count(), 0);
  await context.close();
});

test('a sale told to count that is declined later is shown to a person', async () => {
  const { page, context } = await openRegister(stage, { line });
  const text = new Card(stage.gateway).text();
  await wedge(page, MUG);
  await wedge(page, text);
  await page.getByText('利用可能').waitFor();
  await page.keyboard.press('F9');
  await page.getByText('付与ポイント').waitFor();
  // A copy of the code, shown while the gateway cannot be asked.
  line.fault = () => 'cut_before';
  await page.keyboard.press('Enter');
  await wedge(page, MUG);
  await wedge(page, text);
  await page.getByText('付与は後ほど反映されます。').first().waitFor();
  await page.keyboard.press('F9');
  await page.getByText('会計は成立しました。').waitFor();
  line.fault = () => undefined;
  await page.getByText('ポイントは付きませんでした。').waitFor({ timeout: 90_000 });
  await page.keyboard.press('F10');
  await page.getByText('このコードは使用済みです。').first().waitFor();
  await accessible(page, 'attention');
  await screen(page, 'register-attention');
  await page.getByRole('button', { name: '確認しました' }).click();
  await page.getByText('確認が必要です').waitFor({ state: 'detached' });
  await context.close();
});

test('a token that ends in the middle of a basket is renewed', async () => {
  const { page, context } = await openRegister(stage, { line });
  const card = new Card(stage.gateway);
  await wedge(page, MUG);
  await scanMember(page, card);
  let refused = 0;
  line.fault = (_, path) => {
    if (path !== '/v1/pos/purchases' || refused > 0) return undefined;
    refused += 1;
    return 'unauthorized';
  };
  await page.keyboard.press('F9');
  await page.getByText('付与ポイント').waitFor();
  assert.equal(refused, 1);
  line.fault = () => undefined;
  await context.close();
});

test('a second tab says that the register is open elsewhere, and opens when the first is closed', async () => {
  const { page, context } = await openRegister(stage, { line });
  const second = await context.newPage();
  await second.goto('/register');
  await second.getByText('このレジは別のタブで開いています').waitFor();
  await accessible(second, 'open elsewhere');
  await page.close();
  await second.locator('#entry').waitFor();
  await context.close();
});

test('without IndexedDB the register says so and takes no points', async () => {
  const context = await stage.visitor();
  await context.addInitScript(() => {
    Object.defineProperty(globalThis, 'indexedDB', { value: undefined });
  });
  const { page } = await stage.page(context, '/register');
  await page.getByText('レジの記録 (IndexedDB) を保存できません').waitFor();
  await accessible(page, 'no journal');
  await screen(page, 'register-no-journal');
  assert.equal(await page.getByRole('textbox').count(), 0);
  await context.close();
});

test('a camera that is not there or not allowed is a plain note', async () => {
  const { page, context } = await openRegister(stage, { line });
  await page.getByRole('button', { name: 'カメラ' }).click();
  await page.getByText(/カメラの使用が許可されていません|カメラが見つかりません/).waitFor();
  await accessible(page, 'camera');
  await context.close();
});
