// A new version of the page: fetched whole while the old one is shown, and in force once nobody looks.

import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { keptOnPhone, look, newCard } from './card-in-hand.ts';
import { Stage } from './stage.ts';

let folder: string;
let given: string | undefined;
let stage: Stage;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-web-'));
  given = process.env['GATEWAY_WEB_DIR'];
  await cp(given || join(import.meta.dirname, '..', 'dist'), folder, { recursive: true });
  process.env['GATEWAY_WEB_DIR'] = folder;
  stage = await Stage.open();
});
after(async () => {
  await stage?.close();
  if (given === undefined) delete process.env['GATEWAY_WEB_DIR'];
  else process.env['GATEWAY_WEB_DIR'] = given;
  await rm(folder, { recursive: true, force: true });
});

async function change(file: string, from: string | RegExp, to: string): Promise<void> {
  const path = join(folder, file);
  const text = await readFile(path, 'utf8');
  assert.notEqual(text.replace(from, to), text, `${file} has no ${from}`);
  await writeFile(path, text.replace(from, to));
  for (const coding of ['br', 'gz']) await rm(`${path}.${coding}`, { force: true });
}

test('a tab that is looked at is not loaded anew while another one is hidden', async () => {
  const { context, page: first } = await newCard(stage);
  await keptOnPhone(first);
  const { page: later } = await stage.page(context, '/card');
  const { page: hidden } = await stage.page(context, '/card');
  // One that came with the first worker, and one that was open before it.
  const shown = [later, first];
  for (const page of [...shown, hidden]) await page.locator('.code .qr').waitFor();
  await change('card-worker.js', /__VERSION__="[^"]+"/, '__VERSION__="second"');
  await stage.gateway.stop();
  await stage.gateway.start();
  for (const page of shown) {
    await page.evaluate(() => {
      const taken = new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve));
      Object.assign(globalThis, { of_before: true, taken });
    });
  }
  await hidden.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update();
    while (!registration.waiting) await new Promise((resolve) => setTimeout(resolve, 50));
  });
  await Promise.all([hidden.waitForEvent('load'), look(hidden, 'hidden')]);
  await hidden.locator('.code .qr').waitFor();
  for (const page of shown) {
    await page.evaluate(() => (globalThis as unknown as { taken?: Promise<unknown> }).taken);
    const before = (): Promise<boolean> => page.evaluate(() => 'of_before' in globalThis);
    assert.ok(await before(), 'a tab that is looked at was loaded anew');
    await Promise.all([page.waitForEvent('load'), look(page, 'hidden')]);
    assert.ok(!(await before()));
    await page.locator('.code .qr').waitFor();
  }
  await context.close();
});

test('a new version takes over while the card is not looked at, and the card is the same', async () => {
  const { context, page } = await newCard(stage);
  await keptOnPhone(page);
  const number = await page.locator('.card-head .number').textContent();
  await change('card/index.html', '<div id="app">', '<div id="app" data-version="next">');
  await change('card-worker.js', /__VERSION__="[^"]+"/, '__VERSION__="next"');
  await stage.gateway.stop();
  await stage.gateway.start();

  // A page with a worker of before has one that waits, and is not disturbed.
  await page.reload();
  await page.locator('.code .qr').waitFor();
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update();
    while (!registration.waiting) await new Promise((resolve) => setTimeout(resolve, 50));
  });
  assert.equal(await page.locator('[data-version]').count(), 0);
  await look(page, 'hidden');
  await page.locator('[data-version="next"] .code .qr').waitFor();
  assert.equal(await page.locator('.card-head .number').textContent(), number);
  // The old version's files are gone, the new one's are there without a network.
  assert.deepEqual(await page.evaluate(() => caches.keys()), ['card-next']);
  await context.setOffline(true);
  await page.reload();
  await page.locator('[data-version="next"] .code .qr').waitFor();
  await context.close();
});
