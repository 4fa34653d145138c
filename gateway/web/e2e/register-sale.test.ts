// A day at the register: a sale with points by keys alone, a refund with its quote, a sale undone, the day's close.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Card, onward, openRegister, pointsOf, types, wedge } from './register-stage.ts';
import { accessible, fits, PHONE, reads, Stage, screen } from './stage.ts';

let stage: Stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage?.close());

const EMPLOYEE = { name: /確認しました|Seen/ };

test('a day at the register, by keys alone', async (t) => {
  const register = await openRegister(stage);
  const { page, context } = register;
  const card = new Card(stage.gateway);
  let number = '';

  await t.test('scan, amount, one key', async () => {
    await wedge(page, card.text({ spend: false }));
    await page.locator('.who').waitFor();
    await types(page, '1080');
    await page.keyboard.press('F9');
    await page.getByRole('heading', { name: 'レシート' }).waitFor();
    await reads(page, [
      'レシート番号',
      /合計/,
      '1,080円',
      '10% 対象',
      '内消費税 98円',
      '付与ポイント',
      '10 ポイント',
      '1,510 ポイント',
      /10 ポイント: 通常ポイント/,
    ]);
    await accessible(page, 'receipt');
    await onward(page);
  });

  await t.test('a basket with products, points held, cash with change', async () => {
    await wedge(page, '4912345670021');
    await wedge(page, '4912345670021');
    await wedge(page, '4912345670069', '\t');
    await wedge(page, card.text());
    await page.getByText('利用可能').waitFor();
    await reads(page, ['緑茶', '302円', 'マグカップ', '1,100円', '1,402円', '会員', '1,510 ポイント']);
    await accessible(page, 'sale');
    await screen(page, 'register-sale');
    await page.keyboard.press('F2');
    await page.getByRole('dialog', { name: 'ポイントを使う' }).waitFor();
    await accessible(page, 'points');
    await screen(page, 'register-points');
    await types(page, '302');
    await page.keyboard.press('Enter');
    await page.getByText('302 ポイント を利用').waitFor();
    await page.keyboard.press('F8');
    await page.getByRole('dialog', { name: 'お支払い' }).waitFor();
    await types(page, '2000');
    await page.getByText('お釣り 900円').waitFor();
    await accessible(page, 'payment');
    await screen(page, 'register-payment');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'レシート' }).waitFor();
    await reads(page, [
      '1,402円',
      '8% 対象 302円',
      '内消費税 22円',
      '10% 対象 1,100円',
      '内消費税 100円',
      '−302 ポイント',
      '1,100円',
      '2,000円',
      '900円',
      '14 ポイント',
      '1,222 ポイント',
    ]);
    await screen(page, 'register-receipt');
    number = (await page.locator('.paper dd').first().innerText()).trim();
    assert.match(number, /^\d{6}-0002$/);
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('.bar').isVisible(), false);
    assert.equal(await page.locator('.paper').isVisible(), true);
    await page.emulateMedia({ media: 'screen' });
    await page.keyboard.press('Enter');
  });

  await t.test('a refund by line, its quote first', async () => {
    await page.keyboard.press('F6');
    const dialog = page.getByRole('dialog', { name: '返品・取消' });
    await dialog.waitFor();
    await accessible(page, 'refund');
    await page.getByLabel('レシート番号').fill(number);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: '緑茶 500ml を 1 点減らす' }).click();
    await page.getByRole('button', { name: 'マグカップ を 1 点減らす' }).click();
    const before = await pointsOf(stage, new Card(stage.gateway));
    await page.getByRole('button', { name: '返品の内容を確認' }).click();
    await page.getByRole('heading', { name: '返品の内容' }).waitFor();
    assert.equal(await pointsOf(stage, new Card(stage.gateway)), before, 'a quote changes nothing');
    const quoted = await dialog.locator('dl').innerText();
    assert.match(quoted, /151円/);
    await accessible(page, 'quote');
    await screen(page, 'register-refund');
    await page.getByRole('button', { name: '返品する' }).click();
    await page.getByText('返品しました。').waitFor();
    assert.equal(await dialog.locator('dl').innerText(), quoted, 'the refund gives the numbers of its quote');
    await page.keyboard.press('Escape');
  });

  await t.test('the rest of it, then nothing is left', async () => {
    await page.keyboard.press('F6');
    await page.getByLabel('レシート番号').fill(number.replace('-', ''));
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: '返品の内容を確認' }).click();
    await page.getByRole('button', { name: '返品する' }).click();
    await page.getByText('返品しました。').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('F6');
    await page.getByLabel('レシート番号').fill(number);
    await page.keyboard.press('Enter');
    await page.getByText('このレシートは全部返品済みか、取消済みです。').waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await pointsOf(stage, new Card(stage.gateway)), 1_510);
  });

  await t.test('a sale undone, and a hold let go', async () => {
    await wedge(page, new Card(stage.gateway).text());
    await page.getByText('利用可能').waitFor();
    await wedge(page, '4912345670069');
    await page.keyboard.press('F2');
    await page.getByRole('button', { name: /百ポイント単位/ }).click();
    await page.getByText('1,100 ポイント を利用').waitFor();
    await page.getByRole('button', { name: 'ポイント利用をやめる' }).click();
    await page.getByText('を利用').waitFor({ state: 'detached' });
    await page.keyboard.press('F9');
    await page.getByRole('heading', { name: 'レシート' }).waitFor();
    await reads(page, ['合計', /definition: 1,100円/]);
    await page.getByRole('button', { name: 'この会計を取り消す' }).click();
    await accessible(page, 'undo');
    await page.getByRole('dialog').getByRole('button', { name: 'この会計を取り消す' }).click();
    await page.getByText('この会計は取り消されました。').waitFor();
    await page.getByText('1,100円 をお返しください。').first().waitFor();
    assert.equal(await pointsOf(stage, new Card(stage.gateway)), 1_510);
    await page.keyboard.press('Escape');
  });

  await t.test('the day closes with both sides equal', async () => {
    await page.getByRole('button', { name: /日締め/ }).click();
    await page.getByRole('button', { name: 'この日を締める' }).click();
    await page.getByText('レジとセンターは一致しています。').waitFor();
    await reads(
      page,
      ['会計 3 件', '3,280円', '返金', '−2,200円', '差引', '1,080円', '会員売上の件数', '3', '返品の件数', '3'],
      'dialog',
    );
    await accessible(page, 'settlement');
    await screen(page, 'register-settlement');
    await page.keyboard.press('Escape');
  });

  await t.test('every other screen', async () => {
    for (const [button, name] of [
      [/^商品/, 'articles'],
      [/^接続/, 'connection'],
      [/^設定/, 'settings'],
    ] as const) {
      await page
        .getByRole('navigation')
        .getByRole('button', { name: button })
        .or(page.locator('nav .mark').filter({ hasText: button }))
        .first()
        .click();
      await page.getByRole('dialog').waitFor();
      await accessible(page, name);
      await screen(page, `register-${name}`);
      await page.keyboard.press('Escape');
    }
  });

  assert.equal(await page.getByRole('button', EMPLOYEE).count(), 0, 'nothing to look at');
  register.sound();
  await context.close();
});

test('English, on a phone', async () => {
  const register = await openRegister(stage, { locale: 'en-GB', size: PHONE });
  const { page, context } = register;
  await wedge(page, new Card(stage.gateway, 'card-2.pem').text());
  await page.getByText('Can be spent').waitFor();
  await page.getByLabel('Amount, product code or member code').fill('500');
  await page.getByRole('button', { name: /^8%/ }).click();
  await reads(page, ['Item', '¥500', 'At 8%', '¥500 (¥37)', 'To pay', '¥500']);
  await accessible(page, 'sale in English');
  await fits(page, 'sale on a phone');
  await screen(page, 'register-phone');
  await page.getByRole('button', { name: /^Exact cash/ }).click();
  await page.getByRole('heading', { name: 'Receipt' }).waitFor();
  await reads(page, ['Points earned', '5 points', 'Points now', '505 points', /1 per 100 yen/, 'Thank you']);
  await fits(page, 'receipt on a phone');
  register.sound();
  await context.close();
});

test('set-up says what is wrong, and that the secret stays here', async () => {
  const context = await stage.visitor();
  const { page } = await stage.page(context, '/register');
  await page.getByText('シークレットはこの端末のブラウザー').waitFor();
  await accessible(page, 'setup');
  await fits(page, 'setup');
  await screen(page, 'register-setup');
  await page.getByRole('button', { name: 'レジを開く' }).click();
  await page.getByText('両方とも入力してください。').waitFor();
  await page.getByLabel('クライアント ID').fill('till-1');
  await page.getByLabel('クライアントシークレット').fill('wrong');
  await page.getByRole('button', { name: 'レジを開く' }).click();
  await page.getByText('ID かシークレットが違います。').waitFor();
  await accessible(page, 'setup refused');
  await context.close();
});
