// The camera as a scanner: a film of a phone's QR code before it, read by the decoder that the gateway itself serves.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { encode } from 'uqr';
import { Gateway } from './gateway.ts';
import { Card, setUp } from './register-stage.ts';
import { accessible, DESKTOP, WAIT_MS } from './stage.ts';

const [WIDTH, HEIGHT, SCALE] = [640, 480, 8];

/** One picture of a QR code as a film that goes round. */
function film(text: string): Buffer {
  const { data, size } = encode(text, { ecc: 'M', border: 4 });
  const light = Buffer.alloc(WIDTH * HEIGHT, 200);
  const [left, top] = [(WIDTH - size * SCALE) / 2, (HEIGHT - size * SCALE) / 2];
  data.forEach((row, y) => {
    row.forEach((dark, x) => {
      for (let line = 0; line < SCALE; line += 1) {
        const at = Math.floor(top + y * SCALE + line) * WIDTH + Math.floor(left + x * SCALE);
        light.fill(dark ? 20 : 235, at, at + SCALE);
      }
    });
  });
  const colour = Buffer.alloc((WIDTH * HEIGHT) / 2, 128);
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F15:1 Ip A1:1 C420jpeg\nFRAME\n`), light, colour]);
}

test('a code before the camera is scanned, and nothing is fetched from elsewhere', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'register-camera-'));
  const gateway = await Gateway.start();
  const path = join(folder, 'qr.y4m');
  await writeFile(path, film(new Card(gateway).text()));
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_BIN'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-dev-shm-usage',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${path}`,
    ],
  });
  try {
    const context = await browser.newContext({
      baseURL: gateway.url,
      viewport: DESKTOP,
      locale: 'ja-JP',
      permissions: ['camera'],
    });
    context.setDefaultTimeout(WAIT_MS);
    const page = await context.newPage();
    const [faults, elsewhere]: [string[], string[]] = [[], []];
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('request', (asked) => {
      if (!asked.url().startsWith(gateway.url) && !/^(blob|data):/.test(asked.url())) elsewhere.push(asked.url());
    });
    await page.goto('/register');
    await setUp(page);
    await page.getByRole('button', { name: 'カメラ' }).click();
    await page.getByText('コードを枠に写してください。').waitFor();
    await accessible(page, 'camera');
    await page.getByText('利用可能').waitFor();
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.deepEqual([faults, elsewhere], [[], []]);
  } finally {
    await browser.close();
    await gateway.close();
    await rm(folder, { recursive: true, force: true });
  }
});
