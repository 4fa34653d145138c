// Staff at work on members: signing in, searching, the record and its reasons, adjustments with four eyes, blocking,
// merging and parting, and what each role is not offered.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Page, Route } from 'playwright-core';
import { confirm, desk, dialog, fillSignIn, memberNo, phone, visit } from './console.ts';
import { accessible, DESKTOP, Stage } from './stage.ts';

const XSS = '<img src=x onerror="globalThis.hacked=1">';

let stage: Stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage?.close());

test('a wrong secret and a client that is no staff are told apart, a right one is let in', async () => {
  const context = await stage.visitor({ size: DESKTOP });
  const watched = await stage.page(context, '/console');
  const { page } = watched;
  await fillSignIn(page, 'staff-1', 'wrong');
  await page.getByRole('alert').getByText('ID またはシークレットが違います。').waitFor();
  await fillSignIn(page, 'till-1', 'demo-till-1-secret');
  await page.getByRole('alert').getByText('このクライアントは管理用ではありません。').waitFor();
  await fillSignIn(page, 'staff-1', 'demo-staff-1-secret');
  await page.getByText('staff-1（マネージャー）').waitFor();
  await page.reload();
  await page.getByText('staff-1（マネージャー）').waitFor();
  const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, location.href]));
  assert.ok(!kept.includes('demo-staff-1-secret'), 'the secret is kept');
  await page.getByRole('button', { name: 'サインアウト' }).click();
  await page.getByRole('heading', { name: 'サインイン' }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem('console.session')), null);
  watched.sound();
  await context.close();
});

test('a reload without an answer signs nobody out', async () => {
  const { page, context } = await desk(stage);
  await page.route('**/v1/admin/me', (route) => route.abort(), { times: 1 });
  await page.reload();
  await page.getByRole('alert').getByText('応答がありませんでした。').waitFor();
  await page.reload();
  await page.getByText('staff-1（マネージャー）').waitFor();
  await context.close();
});

test('a member is found by number and shown whole, with why of each entry in both languages', async () => {
  const { page, context, watched } = await desk(stage);
  const number = memberNo(stage.gateway, 1);
  await page.getByLabel('会員番号').fill(`${number.slice(0, 4)} ${number.slice(4, 8)} ${number.slice(8)}`);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: '1 件見つかりました' }).waitFor();
  assert.ok(!page.url().includes(number), 'what is searched for is not in the address');
  await page.getByRole('link', { name: number }).first().click();
  await page.getByRole('heading', { level: 1, name: `会員 ${number}` }).waitFor();
  // A screen that opens has the focus on its heading.
  await page.waitForFunction(() => document.activeElement?.tagName === 'H1');
  await page.locator('.tile', { hasText: '利用可能' }).getByText('1,500').waitFor();
  await page.getByRole('link', { name: '履歴' }).click();
  const row = page.getByRole('row', { name: /手動の調整/ }).first();
  assert.match(await row.innerText(), /\+1,500/);
  await row.getByRole('button', { name: /^なぜ/ }).click();
  await dialog(page).getByRole('heading', { name: '英語' }).waitFor();
  assert.match(await dialog(page).locator('[lang="ja"]').innerText(), /1,?500/);
  assert.match(await dialog(page).locator('[lang="en"]').innerText(), /1,?500 points/);
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: '閲覧の記録' }).click();
  await page.getByRole('cell', { name: '記録' }).first().waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: '履歴' }).waitFor();
  watched.sound();
  await context.close();
});

test('nobody and nonsense are told as such', async () => {
  const { page, context } = await desk(stage);
  await page.getByLabel('会員番号').fill('123');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('入力を確かめてください。').waitFor();
  await page.getByLabel('探す手がかり').selectOption('email');
  await page.getByLabel('メールアドレス').fill('nobody@example.jp');
  await page.keyboard.press('Enter');
  await page.locator('.note', { hasText: '見つかりませんでした。' }).waitFor();
  await visit(page, '#/members/111111111111', /111111111111/);
  await page.getByRole('alert').waitFor();
  await context.close();
});

test('an adjustment under the limit is done; one over it waits for a second manager', async () => {
  const { page, context, watched } = await desk(stage, 'staff-1', `#/members/${memberNo(stage.gateway, 2)}`);
  await page.getByRole('button', { name: 'ポイントを調整' }).click();
  await dialog(page).locator('button[type="submit"]').click();
  await dialog(page).getByText('理由を入力してください。').waitFor();
  await dialog(page).getByText('1 以上の整数を入力してください。').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-invalid')), 'true');
  await dialog(page).getByLabel('ポイント数').fill('250');
  await confirm(page, XSS);
  await page.getByText('調整しました。利用可能 750 ポイント。').first().waitFor();
  await page.locator('.tile', { hasText: '利用可能' }).getByText('750').waitFor();

  await page.getByRole('button', { name: 'ポイントを調整' }).click();
  await dialog(page).getByLabel('ポイント数').fill('3,000');
  await confirm(page, 'goodwill, call 4711');
  await page.getByText('上限を超えるため提案しました。').first().waitFor();
  await page.locator('.tile', { hasText: '利用可能' }).getByText('750').waitFor();
  const own = page.getByRole('row', { name: /goodwill/ });
  await own.getByText('自分の提案。').waitFor();
  assert.equal(await own.getByRole('button', { name: /承認/ }).count(), 0);

  const second = await desk(stage, 'staff-2', '#/proposals');
  const waiting = second.page.getByRole('row', { name: /goodwill, call 4711/ });
  await waiting.getByRole('button', { name: /^提案を承認する/ }).click();
  await dialog(second.page).getByText('goodwill, call 4711').waitFor();
  await confirm(second.page, 'checked the call');
  await second.page.getByText('承認し、ポイントを調整しました。').first().waitFor();
  await second.page.getByLabel('表示する提案').selectOption('all');
  await second.page.getByRole('row', { name: /承認済み.*checked the call/ }).waitFor();
  await visit(page, `#/members/${memberNo(stage.gateway, 2)}/history`, /会員/);
  await page.reload();
  await page.locator('.tile', { hasText: '利用可能' }).getByText('3,750').waitFor();

  await page.getByRole('button', { name: 'ポイントを調整' }).click();
  await dialog(page).getByLabel('付与か減算か').selectOption('take');
  await dialog(page).getByLabel('ポイント数').fill('400');
  await confirm(page, 'taken back');
  await page.locator('.tile', { hasText: '利用可能' }).getByText('3,350').waitFor();
  // Taken from the lots that would lapse first, so it may be several entries.
  await page
    .getByRole('row', { name: /手動の調整 −/ })
    .first()
    .waitFor();
  assert.equal(await page.evaluate(() => 'hacked' in globalThis), false);
  watched.sound();
  second.watched.sound();
  await second.context.close();
  await context.close();
});

test('a refusal of the ledger is told in words, and the form stays', async () => {
  const { page, context } = await desk(stage, 'staff-1', `#/members/${memberNo(stage.gateway, 3)}`);
  await page.getByRole('button', { name: 'ポイントを調整' }).click();
  await dialog(page).getByLabel('付与か減算か').selectOption('take');
  await dialog(page).getByLabel('ポイント数').fill('10');
  await dialog(page).getByLabel('理由').fill('more than there is');
  await dialog(page).locator('button[type="submit"]').click();
  await dialog(page).getByRole('alert').getByText('ポイントが足りません。').waitFor();
  assert.equal(await dialog(page).getByLabel('ポイント数').inputValue(), '10');
  await context.close();
});

test('a member is blocked, unblocked, and a card taken out', async () => {
  const { page, context, watched } = await desk(stage, 'support-1', `#/members/${memberNo(stage.gateway, 3)}`);
  await page.getByRole('button', { name: '停止する' }).click();
  await confirm(page, 'lost phone');
  await page.getByText('会員を停止しました。').first().waitFor();
  await page.locator('.facts').getByText('停止中').waitFor();
  await page.getByRole('button', { name: '停止を解除する' }).click();
  await confirm(page, 'found phone');
  await page.locator('.facts').getByText('有効').waitFor();
  await page.getByRole('button', { name: /^カード .* を失効させる/ }).click();
  await confirm(page, 'phone was stolen');
  await page.getByText('カードを失効させました。').first().waitFor();
  await page.getByRole('button', { name: /を失効させる/ }).waitFor({ state: 'detached' });
  watched.sound();
  await context.close();
});

test('personal data opens with a reason only, is shown as text, and leaves a trace', async () => {
  const profile = { name: XSS, kana: 'ヤマダ ハナコ', email: 'hanako@example.jp', birthday: '1990-04-01' };
  await phone(stage.gateway, 1, 'PUT', '/v1/me/profile', { version: 0, profile });
  const number = memberNo(stage.gateway, 1);
  const { page, context, watched } = await desk(stage);
  await page.getByLabel('探す手がかり').selectOption('kana');
  await page.getByLabel('カナ氏名').fill('ヤマダ ハナコ');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: number }).first().click();
  await page.getByRole('button', { name: '個人情報を開く' }).click();
  assert.equal(await page.getByText('hanako@example.jp').count(), 0);
  await confirm(page, 'call 4711');
  await page.getByText(XSS).waitFor();
  await page.getByText('hanako@example.jp').waitFor();
  await accessible(page, 'personal data');
  await page.getByRole('button', { name: '個人情報を閉じる' }).click();
  await page.getByRole('link', { name: '閲覧の記録' }).click();
  await page.getByRole('row', { name: /個人情報.*call 4711/ }).waitFor();
  assert.equal(await page.evaluate(() => 'hacked' in globalThis), false);

  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'データを書き出す' }).click();
  await confirm(page, 'request of the owner');
  const file = await saved;
  assert.equal(file.suggestedFilename(), `member-${number}.json`);
  assert.ok(readFileSync(await file.path(), 'utf8').includes('hanako@example.jp'));
  watched.sound();
  await context.close();
});

test('a customer of a shop is found with the orders, each explained, and with what was merged', async () => {
  const { page, context, watched } = await desk(stage, 'auditor-1');
  await page.getByLabel('探す手がかり').selectOption('customer');
  await page.getByLabel('ショップ ID').fill('shop-1');
  await page.getByLabel('顧客番号').fill('4711');
  await page.keyboard.press('Enter');
  await page.getByRole('table', { name: '検索結果' }).getByRole('link').first().click();
  await page.getByRole('table', { name: '本人と結びつくもの' }).getByText('ショップの顧客').waitFor();
  await page.getByRole('link', { name: '注文' }).click();
  const order = page.getByRole('row', { name: /W-1001 shop-1 出荷済み/ });
  await order.getByRole('button', { name: /^なぜ/ }).click();
  await dialog(page)
    .getByText(/W-1001/)
    .first()
    .waitFor();
  await dialog(page).getByRole('button', { name: '閉じる' }).click();
  await page.getByRole('link', { name: '統合', exact: true }).last().click();
  await page.getByRole('row', { name: /統合.*スタッフ.*same person, shown at the desk/ }).waitFor();
  watched.sound();
  await context.close();
});

test('members that may be one person lead to their comparison', async () => {
  const { page, context, watched } = await desk(stage, 'support-1', '#/merging');
  const hint = page.getByRole('row', { name: /カナと生年月日が同じ/ }).first();
  await hint.getByRole('link', { name: /を見比べる$/ }).click();
  await page.getByRole('table', { name: '比較' }).waitFor();
  const sides = await page
    .getByRole('row', { name: /会員番号/ })
    .getByRole('link')
    .allInnerTexts();
  assert.equal(new Set(sides).size, 2, 'two members, and one of them afterwards');
  watched.sound();
  await context.close();
});

test('two members are compared, merged and parted again', async () => {
  const [one, two] = [memberNo(stage.gateway, 1), memberNo(stage.gateway, 2)];
  const { page, context, watched } = await desk(stage, 'staff-1', `#/members/${one}/merges`);
  await page.getByLabel('相手の会員番号').fill(two);
  await page.getByRole('button', { name: '見比べる' }).click();
  const comparison = page.getByRole('table', { name: '比較' });
  const available = comparison.getByRole('row', { name: /利用可能/ });
  await available.waitFor();
  const [alias = 0, stays = 0, afterwards] = (await available.getByRole('cell').allInnerTexts()).map((text) =>
    Number(text.replaceAll(',', '')),
  );
  assert.equal(alias + stays, afterwards, 'points of both are one balance');
  await page.getByRole('button', { name: /に統合する$/ }).click();
  await confirm(page, `same person ${XSS}`);
  await page.getByText('統合しました。').first().waitFor();
  await page.getByRole('table', { name: '統合と分離の履歴' }).getByText(`same person ${XSS}`).waitFor();
  await page.getByRole('link', { name: '概要' }).click();
  assert.equal(await page.getByRole('table', { name: '記録' }).getByRole('row').count(), 3);

  await visit(page, `#/merging/${one}/${two}`, '会員の統合');
  await page.getByText('統合できません').waitFor();
  assert.equal(await page.getByRole('button', { name: /に統合する$/ }).count(), 0);

  await visit(page, `#/members/${one}/merges`, /会員/);
  await page.getByRole('link', { name: /の分離を確認$/ }).click();
  await page.getByRole('heading', { name: '分かれる記録', exact: true }).waitFor();
  await accessible(page, 'unmerging');
  await page.getByRole('button', { name: '分離する' }).click();
  await confirm(page, 'two sisters');
  await page.getByText('分離しました。').first().waitFor();
  await page.getByRole('row', { name: /分離.*two sisters/ }).waitFor();
  assert.equal(await page.evaluate(() => 'hacked' in globalThis), false);
  watched.sound();
  await context.close();
});

test('the auditor sees everything and is offered no change', async () => {
  const number = memberNo(stage.gateway, 1);
  const { page, context, watched } = await desk(stage, 'auditor-1', `#/members/${number}`);
  const changes =
    /調整|停止|失効させる|書き出す|消去|個人情報を開く|承認|却下|統合する|分離する|追加|更新|無効|やり直す/;
  for (const [hash, heading] of [
    [`#/members/${number}`, /会員/],
    [`#/members/${number}/merges`, /会員/],
    ['#/proposals', '調整の提案'],
    [`#/merging/${number}/${memberNo(stage.gateway, 2)}`, '会員の統合'],
    ['#/stores', '店舗とレジ'],
    ['#/shops', 'EC ショップ'],
    ['#/clients', 'クライアント'],
    ['#/health', '稼働状況'],
  ] as const) {
    await visit(page, hash, heading);
    await page.getByRole('table').first().or(page.getByText('ありません。').first()).first().waitFor();
    assert.deepEqual(await page.locator('main').getByRole('button', { name: changes }).allInnerTexts(), [], hash);
  }
  await visit(page, '#/acts', '操作の記録');
  await page
    .getByRole('row', { name: /staff-1.*マネージャー.*統合/ })
    .first()
    .waitFor();
  watched.sound();
  await context.close();
  const support = await desk(stage, 'support-1');
  assert.equal(await support.page.locator('#menu').getByRole('link', { name: '操作の記録' }).count(), 0);
  await support.context.close();
});

test('a member is erased by typing the number', async () => {
  const number = memberNo(stage.gateway, 3);
  const { page, context } = await desk(stage, 'staff-1', `#/members/${number}`);
  await page.getByRole('button', { name: '消去する' }).click();
  await dialog(page).getByLabel('確認のための会員番号').fill('123456789012');
  await dialog(page).getByLabel('理由').fill('request of the owner');
  await dialog(page).locator('button[type="submit"]').click();
  await dialog(page).getByText('会員番号が違います。').waitFor();
  await dialog(page).getByLabel('確認のための会員番号').fill(number);
  await confirm(page, 'request of the owner');
  await page.getByText('会員を消去しました。').first().waitFor();
  await page.locator('.facts').getByText('消去済み').waitFor();
  assert.equal(await page.getByRole('button', { name: 'ポイントを調整' }).count(), 0);
  await context.close();
});

/** The next adjustment is sent with a token that the gateway no longer takes. */
async function endToken(page: Page): Promise<void> {
  const ended = (route: Route) =>
    route.continue({ headers: { ...route.request().headers(), authorization: 'Bearer ended' } });
  await page.route('**/adjustments', ended, { times: 1 });
}

test('a session that ends in the middle of a form is begun again without losing what was typed', async () => {
  const { page, context, watched } = await desk(stage, 'staff-1', `#/members/${memberNo(stage.gateway, 1)}`);
  await page.getByRole('button', { name: 'ポイントを調整' }).click();
  await dialog(page).getByLabel('ポイント数').fill('77');
  await dialog(page).getByLabel('理由').fill('kept over the sign-in');
  await endToken(page);
  await dialog(page).locator('button[type="submit"]').click();
  await page.getByRole('heading', { name: 'もう一度サインインしてください' }).waitFor();
  assert.equal(await dialog(page).getByLabel('クライアント ID').inputValue(), 'staff-1');
  await accessible(page, 'signing in again');
  await dialog(page).getByLabel('シークレット').fill('demo-staff-1-secret');
  await page.keyboard.press('Enter');
  await page
    .getByText(/^調整しました。/)
    .first()
    .waitFor();
  await page.getByRole('link', { name: '履歴' }).click();
  await page.getByRole('row', { name: /\+77/ }).waitFor();
  watched.sound();
  await context.close();
});

test('somebody else who signs in does not send what the first one typed', async () => {
  const { page, context } = await desk(stage, 'staff-1', `#/members/${memberNo(stage.gateway, 1)}`);
  await page.getByRole('button', { name: 'ポイントを調整' }).click();
  await dialog(page).getByLabel('ポイント数').fill('78');
  await dialog(page).getByLabel('理由').fill('typed by another');
  await endToken(page);
  await dialog(page).locator('button[type="submit"]').click();
  await page.getByRole('heading', { name: 'もう一度サインインしてください' }).waitFor();
  await fillSignIn(page, 'staff-2', 'demo-staff-2-secret');
  await dialog(page).getByText('別の人としてサインインしたため').waitFor();
  assert.equal(await dialog(page).getByLabel('ポイント数').inputValue(), '78');
  await context.close();
});

test('no answer is told as unknown, never as refused, and the page reads again', async () => {
  const { page, context } = await desk(stage, 'staff-1', `#/members/${memberNo(stage.gateway, 1)}`);
  const available = page.locator('.tile', { hasText: '利用可能' }).locator('strong');
  const points = Number((await available.innerText()).replaceAll(',', ''));
  await page.getByRole('button', { name: 'ポイントを調整' }).click();
  await dialog(page).getByLabel('ポイント数').fill('5');
  await dialog(page).getByLabel('理由').fill('the answer is lost');
  // It reaches the gateway; its answer does not come back.
  await page.route('**/adjustments', async (route) => {
    await route.fetch();
    await route.abort('connectionreset');
  });
  await dialog(page).locator('button[type="submit"]').click();
  await dialog(page).getByRole('alert').getByText('結果が分かりません。').waitFor();
  assert.equal(await dialog(page).locator('button[type="submit"]').count(), 0, 'it is not offered once more');
  await accessible(page, 'an unknown outcome');
  await available.getByText((points + 5).toLocaleString('en-GB')).waitFor();
  await context.close();
});
