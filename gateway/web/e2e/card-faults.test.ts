// What goes wrong on phones: clocks, storage, keys, tabs, a gateway that lost its data.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  balance,
  earn,
  issuedAt,
  keptOnPhone,
  look,
  newCard,
  scan,
  scanNext,
  setClock,
  wrongClock,
} from './card-in-hand.ts';
import { accessible, Stage, screen } from './stage.ts';
import { Till } from './till.ts';

const HOUR_MS = 3_600_000;
let stage: Stage;
let till: Till;
before(async () => {
  stage = await Stage.open();
  till = new Till(stage.gateway);
});
after(() => stage?.close());

for (const [name, ms] of [
  ['fast', HOUR_MS],
  ['slow', -HOUR_MS],
] as const) {
  test(`a clock that is an hour ${name} does not matter, with a network and without`, async () => {
    const context = await stage.visitor();
    await wrongClock(context, ms);
    const { page } = await stage.page(context, '/card');
    await page.getByRole('button', { name: '会員証をつくる' }).click();
    await page.locator('.code .qr').waitFor();
    await page.getByText(ms > 0 ? '約60分進んでいます' : '約60分遅れています').waitFor();
    const text = await scan(page);
    assert.equal((await till.inquire(text)).outcome, 'approved');
    await keptOnPhone(page);
    await context.setOffline(true);
    await page.reload();
    await page.locator('.code .qr').waitFor();
    await page.getByText('オフラインです').waitFor();
    const offline = await scan(page);
    assert.equal((await till.inquire(offline)).outcome, 'approved');
    // Somebody sets the clock while the card is shown.
    await setClock(page, 0);
    const next = await scanNext(page, offline);
    assert.equal((await till.inquire(next)).outcome, 'approved');
    await context.close();
  });
}

test('a clock that went back unseen is told of, until the gateway says the time', async () => {
  const context = await stage.visitor();
  const { page } = await stage.page(context, '/card');
  await page.getByRole('button', { name: '会員証をつくる' }).click();
  await page.locator('.code .qr').waitFor();
  await keptOnPhone(page);
  await wrongClock(context, -HOUR_MS);
  await context.setOffline(true);
  await page.reload();
  await page.getByText('この端末の時計が変更されたようです').waitFor();
  await screen(page, 'card-clock-unsure');
  await accessible(page, 'a card with a clock that is not trusted');
  const untrusted = await scan(page);
  await context.setOffline(false);
  await page.getByText('約60分遅れています').waitFor();
  // At once, not when the old code's time is over.
  const trusted = await scanNext(page, untrusted);
  assert.equal((await till.inquire(trusted)).outcome, 'approved');
  await context.close();
});

test('a phone that slept in a pocket, without a network, goes on with the right time', async () => {
  const context = await stage.visitor();
  await wrongClock(context, 0);
  const { page } = await stage.page(context, '/card');
  await page.getByRole('button', { name: '会員証をつくる' }).click();
  let text = await scan(page);
  await context.setOffline(true);
  await page.getByText('オフラインです').waitFor();
  for (const slept_s of [600, 30_000]) {
    await look(page, 'hidden');
    await setClock(page, slept_s * 1000);
    await look(page, 'visible');
    text = await scanNext(page, text);
    const late_s = issuedAt(text) - slept_s - Date.now() / 1000;
    assert.ok(Math.abs(late_s) < 30, `after a sleep of ${slept_s} s the code is ${late_s} s off`);
    assert.equal(await page.getByText('この端末の時計が変更されたようです').count(), 0);
  }
  await context.close();
});

test('a lid that was closed with no word to the page: the gateway is asked at once', async () => {
  const context = await stage.visitor();
  await wrongClock(context, 0);
  const { page } = await stage.page(context, '/card');
  await page.getByRole('button', { name: '会員証をつくる' }).click();
  const text = await scan(page);
  await context.setOffline(true);
  await page.getByText('オフラインです').waitFor();
  await setClock(page, HOUR_MS);
  await page.getByText('この端末の時計が変更されたようです').waitFor();
  await context.setOffline(false);
  await page.getByText('約60分進んでいます').waitFor();
  // With a network nobody is told anything.
  const asked = page.waitForRequest('**/v1/me');
  await setClock(page, 2 * HOUR_MS);
  await asked;
  await page.getByText('約120分進んでいます').waitFor();
  assert.equal((await till.inquire(await scanNext(page, text))).outcome, 'approved');
  await context.close();
});

test('a phone with no room left: the code spends what the switch says, and the page tells what is not kept', async () => {
  const { context, page, watched } = await newCard(stage);
  await earn(till, page, 50_000);
  await balance(page, 500);
  const text = await scan(page);
  await page.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('no', 'QuotaExceededError');
    };
  });
  await page.getByRole('switch', { name: 'ポイントを使う' }).click();
  const never = await scanNext(page, text);
  const basket = till.basket();
  assert.equal((await till.authorize(never, 1, basket)).reason, 'spend_not_allowed');
  await page.getByText('この端末に空きがなく、変更を保存できません').waitFor();
  await accessible(page, 'a phone with no room');
  // What happens is told all the same, and a new code follows.
  assert.equal((await till.sell(never, 1_000, 0, basket)).outcome, 'approved');
  await page.locator('.happening button').click();
  await balance(page, 510);
  assert.equal((await till.inquire(await scanNext(page, never))).outcome, 'approved');
  await page.getByRole('link', { name: /お知らせ/ }).click();
  await page.getByRole('heading', { name: 'お知らせ' }).waitFor();
  watched.sound();
  await context.close();
});

test('a code that cannot be made anew is taken away, and made as soon as it can be', async () => {
  const { context, page, watched } = await newCard(stage);
  const text = await scan(page);
  await page.evaluate(() => {
    navigator.locks.request = () => Promise.reject(new DOMException('no', 'InvalidStateError'));
  });
  await page.getByRole('switch', { name: 'ポイントを使う' }).click();
  await page.locator('.code .making').waitFor();
  await page.evaluate(() => Reflect.deleteProperty(navigator.locks, 'request'));
  assert.equal((await till.authorize(await scanNext(page, text), 1)).reason, 'spend_not_allowed');
  watched.sound();
  await context.close();
});

test('however quickly the switch is turned, no two codes are of one second', async () => {
  const { context, page } = await newCard(stage);
  const codes = new Set([await scan(page)]);
  const spends = page.getByRole('switch', { name: 'ポイントを使う' });
  for (let turn = 0; turn < 8; turn += 1) {
    await spends.click();
    await page.locator('.code .qr').waitFor();
    codes.add(await scan(page));
  }
  assert.equal(new Set([...codes].map(issuedAt)).size, codes.size);
  await context.close();
});

for (const [name, broken] of [
  ['missing', () => Object.defineProperty(globalThis, 'indexedDB', { value: undefined })],
  [
    'refused',
    () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException('no', 'SecurityError');
      };
    },
  ],
] as const) {
  test(`a browser whose storage is ${name} gets a note instead of a card`, async () => {
    const context = await stage.visitor();
    await context.addInitScript(broken);
    const watched = await stage.page(context, '/card');
    const { page } = watched;
    await page.getByRole('heading', { name: 'このブラウザーでは会員証を保存できません' }).waitFor();
    await accessible(page, 'no storage');
    await screen(page, 'card-no-storage');
    watched.sound();
    await context.close();
  });
}

test('storage that was lost leads to a new card and says how to get the points back', async () => {
  const { context, page } = await newCard(stage);
  const number = (await page.locator('.card-head .number').textContent()) ?? '';
  await page.goto('about:blank');
  const cleaner = await context.newPage();
  await cleaner.goto('/livez');
  await cleaner.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase('member-card');
        request.onsuccess = resolve;
        request.onerror = reject;
      }),
  );
  await page.goto('/card');
  await page.getByText(`番号の末尾が ${number.slice(-4)} の会員証がありました`).waitFor();
  await page.getByText('前のスマートフォンがある').waitFor();
  await accessible(page, 'storage that was lost');
  await screen(page, 'card-storage-lost');
  await page.getByRole('button', { name: '会員証をつくる' }).click();
  await page.locator('.code .qr').waitFor();
  await context.close();
});

test('a key that no longer signs ends the card, and a new one begins', async () => {
  const { context, page } = await newCard(stage);
  await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open('member-card');
        request.onerror = reject;
        request.onsuccess = () => {
          const store = request.result.transaction('kept', 'readwrite').objectStore('kept');
          const read = store.get('card');
          read.onsuccess = () => {
            const { keys: _lost, ...rest } = read.result;
            store.put(rest, 'card').onsuccess = resolve;
          };
        };
      }),
  );
  await page.reload();
  await page.getByRole('heading', { name: '会員証の鍵が失われました' }).waitFor();
  await accessible(page, 'a key that was lost');
  await page.getByRole('button', { name: '新しい会員証をつくる' }).click();
  await page.locator('.code .qr').waitFor();
  assert.equal((await till.inquire(await scan(page))).outcome, 'approved');
  await context.close();
});

test('the private key cannot be read out', async () => {
  const { context, page } = await newCard(stage);
  const exported = await page.evaluate(
    () =>
      new Promise<string>((resolve) => {
        const request = indexedDB.open('member-card');
        request.onsuccess = () => {
          const read = request.result.transaction('kept').objectStore('kept').get('card');
          read.onsuccess = () => {
            const { privateKey } = read.result.keys as CryptoKeyPair;
            crypto.subtle.exportKey('pkcs8', privateKey).then(
              () => resolve('exported'),
              (error: Error) => resolve(error.name),
            );
          };
        };
      }),
  );
  assert.equal(exported, 'InvalidAccessError');
  await context.close();
});

test('two tabs are one card: enrolled once, never one code twice, one spend switch', async () => {
  const context = await stage.visitor();
  const [one, two] = await Promise.all([stage.page(context, '/card'), stage.page(context, '/card')]);
  await Promise.all([one, two].map(({ page }) => page.getByRole('button', { name: '会員証をつくる' }).waitFor()));
  // Both at once; the one that is later may find the card of the other already.
  const tap = (): void => document.querySelector<HTMLButtonElement>('button.primary')?.click();
  await Promise.all([one, two].map(({ page }) => page.evaluate(tap)));
  await Promise.all([one, two].map(({ page }) => page.locator('.code .qr').waitFor()));
  const numbers = await Promise.all([one, two].map(({ page }) => page.locator('.card-head .number').textContent()));
  assert.equal(numbers[0], numbers[1]);
  const texts = await Promise.all([one, two].map(({ page }) => scan(page)));
  assert.notEqual(texts[0], texts[1]);
  for (const text of texts) assert.equal((await till.inquire(text)).outcome, 'approved');

  await one.page.getByRole('switch', { name: 'ポイントを使う' }).click();
  await two.page.getByText('ためるだけ。使えません').waitFor();
  const next = await scanNext(two.page, texts[1] ?? '');
  const basket = till.basket();
  assert.equal((await till.authorize(next, 1, basket)).reason, 'spend_not_allowed');
  assert.equal((await till.sell(next, 5_000, 0, basket)).outcome, 'approved');
  for (const { page } of [one, two]) {
    await page.locator('.happening button').click();
    await balance(page, 50);
  }
  one.sound();
  two.sound();
  await context.close();
});

test('a gateway that does not know the card is told it again', async () => {
  const { context, page } = await newCard(stage);
  await earn(till, page, 10_000);
  const other = await Stage.open();
  try {
    // The same page in front of a gateway with other data.
    await context.route('**/v1/me/stream', (route) => route.abort());
    await context.route(/\/v1\/(?!me\/stream)/, async (route) => {
      const response = await route.fetch({ url: route.request().url().replace(stage.gateway.url, other.gateway.url) });
      await route.fulfill({ response });
    });
    await page.reload();
    await page.getByRole('heading', { name: 'お店のシステムがこの会員証を知りません' }).waitFor();
    await accessible(page, 'a card that is not known');
    await page.getByRole('button', { name: '同じ鍵で登録する' }).click();
    await balance(page, 0);
    assert.equal((await new Till(other.gateway).inquire(await scan(page))).outcome, 'approved');
  } finally {
    await other.close();
    await context.close();
  }
});
