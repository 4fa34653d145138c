// Every page opens, in both languages, under the Content-Security-Policy that the gateway sends.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, Stage } from './stage.ts';

let stage: Stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage?.close());

for (const path of ['/card', '/register', '/console']) {
  for (const [locale, language] of [
    ['ja-JP', 'ja'],
    ['en-GB', 'en'],
  ] as const) {
    test(`${path} opens in ${language}`, async () => {
      const visitor = await stage.visitor({ locale });
      const { page, ...watched } = await stage.page(visitor, path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      assert.equal(await page.locator('html').getAttribute('lang'), language);
      await accessible(page, path);
      assert.deepEqual(watched.faults, []);
      await visitor.close();
    });
  }
}
