// Draws the icons that phones want as PNG from public/card/icon.svg. Run by hand when the drawing changes.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const folder = join(import.meta.dirname, '..', 'public', 'card');
const svg = readFileSync(join(folder, 'icon.svg')).toString('base64');
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM_BIN'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
for (const size of [192, 512]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(
    `<style>body{margin:0}img{display:block;width:100vw}</style><img src="data:image/svg+xml;base64,${svg}">`,
  );
  await page.screenshot({ path: join(folder, `icon-${size}.png`) });
}
await browser.close();
