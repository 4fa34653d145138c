// What comes in by scanner and keyboard: codes in the wrong place, used twice, misread, and text that would be markup.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Card, openRegister, shortCode, wedge } from './register-stage.ts';
import { Stage } from './stage.ts';

let stage: Stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage?.close());

test('a scan into a text field leaves it as it was', async () => {
  const { page, context } = await openRegister(stage);
  const name = page.getByLabel('品名 (任意)');
  await name.fill('お弁当');
  await wedge(page, '4912345670069');
  await page.getByText('マグカップ').first().waitFor();
  assert.equal(await name.inputValue(), 'お弁当');
  await page.locator('#entry').fill('5');
  await wedge(page, new Card(stage.gateway).text(), '');
  await page.getByText('利用可能').waitFor();
  assert.equal(await page.locator('#entry').inputValue(), '5');
  assert.equal(await page.locator('.line').count(), 1);
  // Nor does one that comes while nothing has the focus.
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await wedge(page, '4912345670069');
  await page.getByText('2,200円').first().waitFor();
  assert.equal(await page.locator('#entry').inputValue(), '5');
  // A person types on as if nothing had been.
  await page.locator('#entry').focus();
  await page.keyboard.type('00', { delay: 120 });
  await page.keyboard.press('Enter');
  await page.getByText('500円').first().waitFor();
  await context.close();
});

test('a scan while a button has the focus leaves no digit behind', async () => {
  const { page, context } = await openRegister(stage);
  await wedge(page, '4912345670069');
  const more = page.getByRole('button', { name: 'マグカップ を 1 点増やす' });
  await more.click();
  await more.focus();
  await wedge(page, '4912345670069');
  await page.getByText('3,300円').first().waitFor();
  assert.equal(await page.locator('#entry').inputValue(), '');
  await more.focus();
  await wedge(page, '4912345670069', '');
  await page.getByText('4,400円').first().waitFor();
  assert.equal(await page.locator('#entry').inputValue(), '');
  await context.close();
});

test('a date that is typed fast keeps its digits', async () => {
  const { page, context } = await openRegister(stage, { locale: 'en-GB' });
  await page.keyboard.press('F7');
  const day = page.getByLabel('Business day');
  await day.focus();
  await page.keyboard.type('0102');
  // The browser's own language decides whether the day or the month comes first.
  await page.waitForFunction(() => {
    const field = document.querySelector<HTMLInputElement>('dialog input[type=date]');
    return /-(01-02|02-01)$/.test(field?.value ?? '');
  });
  await context.close();
});

test('a member code: twice in a basket is one use, in another basket it is refused', async () => {
  const { page, context } = await openRegister(stage);
  const text = new Card(stage.gateway).text();
  await wedge(page, '4912345670069');
  await wedge(page, text);
  await page.getByText('利用可能').waitFor();
  await wedge(page, text);
  await page.getByText('同じ会員コードです。').first().waitFor();
  await page.keyboard.press('F9');
  await page.getByText('付与ポイント').waitFor();
  await wedge(page, text);
  await page.getByText('このコードは使用済みです。').first().waitFor();
  assert.equal(await page.locator('.who').count(), 0);
  await context.close();
});

test('a short code is typed where amounts are typed, and spends', async () => {
  const { page, context } = await openRegister(stage);
  const code = await shortCode(stage, new Card(stage.gateway, 'card-2.pem'));
  await page.locator('#entry').pressSequentially('770', { delay: 80 });
  await page.keyboard.press('Enter');
  await page.locator('#entry').pressSequentially(code, { delay: 80 });
  await page.keyboard.press('Enter');
  await page.getByText('利用可能').waitFor();
  assert.equal(await page.locator('.line').count(), 1);
  await page.keyboard.press('F9');
  await page.getByText('付与ポイント').waitFor();
  await context.close();
});

test('what is no code, and what is misread, is said and not sold', async () => {
  const { page, context } = await openRegister(stage);
  for (const [code, said] of [
    ['4912345670060', '検査数字が合いません'],
    ['4909999999998', '商品が見つかりません'],
    ['70011234567', '会員コードでも商品コードでもありません'],
  ] as const) {
    await wedge(page, code);
    await page.getByText(said).first().waitFor();
  }
  assert.equal(await page.locator('.line').count(), 0);
  await context.close();
});

test('markup in names stays text, on the screen and on the receipt', async () => {
  const { page, context, ...watched } = await openRegister(stage);
  const evil = '<img src=x onerror="document.title=1"><b>x</b>';
  await page.getByLabel('品名 (任意)').fill(evil);
  await page.locator('#entry').fill('300');
  await page.keyboard.press('Enter');
  await page.getByText(evil).first().waitFor();
  await page.keyboard.press('F4');
  await page.getByRole('button', { name: '商品の編集' }).click();
  await page.getByLabel('コード', { exact: true }).fill('EVIL-1');
  await page.getByLabel('品名', { exact: true }).fill(evil);
  await page.getByLabel('価格 (税込・円)').fill('100');
  await page.getByRole('button', { name: '商品を追加' }).click();
  await page.getByText('追加しました。').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#entry').fill('EVIL-1');
  await page.keyboard.press('Enter');
  await page.keyboard.press('F9');
  await page.getByRole('heading', { name: 'レシート' }).waitFor();
  assert.equal(await page.locator('.paper img, .paper b').count(), 0);
  assert.equal(await page.locator('.paper-lines li').count(), 2);
  assert.notEqual(await page.title(), '1');
  assert.deepEqual(watched.faults, []);
  await context.close();
});

test('articles are read from a file, or the line that cannot be read is named', async () => {
  const { page, context } = await openRegister(stage);
  await page.keyboard.press('F4');
  await page.getByRole('button', { name: '商品の編集' }).click();
  const give = (text: string) =>
    page.locator('input[type=file]').setInputFiles({ name: 'a.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  await give('sku,name,category,price,tax_rate\n1,a,b,x,8\n');
  await page.getByText('2 行目が読めません (価格)').waitFor();
  await give('sku,name,category,price,tax_rate\n4912345670069,大きなマグ,b,1500,10\n');
  await page.getByText('1 件の商品を読み込みました。').waitFor();
  await page.keyboard.press('Escape');
  await page.reload();
  await page.locator('#entry').waitFor();
  await wedge(page, '4912345670069');
  await page.getByText('1,500円').first().waitFor();
  await context.close();
});
