// The whole life of a basket between real pages: the phone shows a code, a scanner types it into the register, the phone tells what
// happened, goods come back, and staff sees all of it. No call is made but by the pages.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { balance, newCard, scan, scanNext } from './card-in-hand.ts';
import { desk } from './console.ts';
import { onward, openRegister, types, wedge } from './register-stage.ts';
import { Stage } from './stage.ts';

let stage: Stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage?.close());

test('a basket from the phone to the till, back to the phone, and to the desk', async () => {
  const phone = await newCard(stage);
  const register = await openRegister(stage);
  const till = register.page;
  const number = ((await phone.page.locator('.card-head .number').textContent()) ?? '').replace(/\D/g, '');
  assert.match(number, /^\d{12}$/);

  // Earn: the code on the phone's screen, photographed, read and typed.
  const first = await scan(phone.page);
  await wedge(till, first);
  await till.getByText('利用可能').waitFor();
  await types(till, '10000');
  await till.keyboard.press('F9');
  await till.getByRole('heading', { name: 'レシート' }).waitFor();
  await till.getByText('100 ポイント').first().waitFor();
  await onward(till);
  const happened = phone.page.getByRole('region', { name: 'レジからのお知らせ' });
  await happened.getByText('お買い物が完了しました').waitFor();
  await phone.page.getByRole('button', { name: '会員証に戻る' }).click();
  await balance(phone.page, 100);

  // The same code again, as from a picture that somebody took of it.
  await wedge(till, first);
  await till.getByText('このコードは使用済みです。').first().waitFor();
  assert.equal(await till.locator('.who').count(), 0);

  // Spend: the next code.
  await wedge(till, await scanNext(phone.page, first));
  await till.getByText('利用可能').waitFor();
  await wedge(till, '4912345670069');
  await till.keyboard.press('F2');
  await till.getByRole('dialog', { name: 'ポイントを使う' }).waitFor();
  await types(till, '100');
  await till.keyboard.press('Enter');
  await till.getByText('100 ポイント を利用').waitFor();
  await till.keyboard.press('F9');
  await till.getByRole('heading', { name: 'レシート' }).waitFor();
  const receipt = (await till.locator('.paper dd').first().innerText()).trim();
  await onward(till);
  await happened.getByText('お買い物が完了しました').waitFor();
  await phone.page.getByRole('button', { name: '会員証に戻る' }).click();
  // 100 were used; 1,100 yen, tax and points included, earned 11.
  await balance(phone.page, 11);

  // The goods come back: the quote, then the refund, and the points are where they were.
  await till.keyboard.press('F6');
  await till.getByLabel('レシート番号').fill(receipt);
  await till.keyboard.press('Enter');
  await till.getByRole('button', { name: '返品の内容を確認' }).click();
  await till.getByRole('heading', { name: '返品の内容' }).waitFor();
  await till.getByRole('button', { name: '返品する' }).click();
  await till.getByText('返品しました。').waitFor();
  await phone.page.getByRole('button', { name: '会員証に戻る' }).click();
  await balance(phone.page, 100);

  // Staff sees what the shopper sees.
  const staff = await desk(stage);
  await staff.page.getByLabel('会員番号').fill(number);
  await staff.page.keyboard.press('Enter');
  await staff.page.getByRole('link', { name: number }).first().click();
  await staff.page.locator('.tile', { hasText: '利用可能' }).getByText('100', { exact: true }).waitFor();
  await staff.page.getByRole('link', { name: '履歴' }).click();
  await staff.page.getByRole('row').nth(4).waitFor();

  for (const watched of [phone.watched, register, staff.watched]) watched.sound();
});
