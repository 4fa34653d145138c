// The page's half of the sign-in with the brand's OpenID: what it asks the issuer, what it keeps, what it sends to the
// gateway. An issuer of a public name cannot be had here, so the browser answers in its place, and in place of the one
// call that checks the issuer's token; all else is the real gateway.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { BrowserContext } from 'playwright-core';
import { dialog, memberNo } from './console.ts';
import { DESKTOP, Stage } from './stage.ts';

const ISSUER = {
  issuer: 'https://id.example',
  name: 'Example ID',
  client_id: 'points-console',
  authorization_url: 'https://id.example/authorize',
};

let stage: Stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage?.close());

interface Asked {
  url: URL;
}

/** An issuer that signs everybody in as staff-2, and counts. */
async function issuer(context: BrowserContext, refuse = false): Promise<Asked[]> {
  const asked: Asked[] = [];
  await context.route('**/v1/admin/sign-in', (route) =>
    route.fulfill({ json: { client_credentials: true, openid: [ISSUER] } }),
  );
  await context.route('https://id.example/authorize?*', (route) => {
    const url = new URL(route.request().url());
    asked.push({ url });
    const state = url.searchParams.get('state') ?? '';
    const nonce = url.searchParams.get('nonce') ?? '';
    const back = new URLSearchParams(
      refuse ? { error: 'access_denied', state } : { id_token: `token.${nonce}`, state },
    );
    const to = `${url.searchParams.get('redirect_uri')}#${back}`;
    return route.fulfill({ contentType: 'text/html', body: `<script>location = ${JSON.stringify(to)}</script>` });
  });
  await context.route('**/v1/admin/sessions', async (route) => {
    const { id_token, nonce } = route.request().postDataJSON() as { id_token: string; nonce: string };
    const hash = createHash('sha256').update(nonce).digest('base64url');
    assert.equal(id_token, `token.${hash}`, 'the token belongs to the secret');
    const access_token = await stage.gateway.token('staff-2');
    await route.fulfill({
      status: 201,
      json: { access_token, token_type: 'Bearer', expires_in: 900, role: 'manager' },
    });
  });
  return asked;
}

test('one signs in at the issuer and is back where one was, with nothing of it in the address', async () => {
  const context = await stage.visitor({ size: DESKTOP });
  const asked = await issuer(context);
  const { page, ...watched } = await stage.page(context, '/console#/stores');
  await page.getByRole('button', { name: 'Example ID でサインイン' }).click();
  await page.getByText('staff-2（マネージャー）').waitFor();
  await page.getByRole('heading', { level: 1, name: '店舗とレジ' }).waitFor();
  assert.equal(new URL(page.url()).hash, '#/stores');
  const query = asked[0]?.url.searchParams;
  assert.deepEqual(
    [query?.get('response_type'), query?.get('scope'), query?.get('client_id'), query?.get('redirect_uri')],
    ['id_token', 'openid', 'points-console', `${stage.gateway.url}/console`],
  );
  assert.equal(await page.evaluate(() => sessionStorage.getItem('console.openid')), null);
  assert.deepEqual(watched.faults, []);
  await context.close();
});

test('an issuer that says no is told, and one can try again', async () => {
  const context = await stage.visitor({ size: DESKTOP });
  await issuer(context, true);
  const { page } = await stage.page(context, '/console');
  await page.getByRole('button', { name: 'Example ID でサインイン' }).click();
  await page.getByRole('alert').getByText('サインイン先で認められませんでした。').waitFor();
  await page.getByRole('button', { name: 'Example ID でサインイン' }).waitFor();
  await context.close();
});

test('a token that nobody here asked for signs nobody in', async () => {
  const context = await stage.visitor({ size: DESKTOP });
  await issuer(context);
  const { page } = await stage.page(context, '/console#id_token=forged&state=forged');
  await page.getByText('サインインしました。元の画面に戻ってください。').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  assert.ok(!page.url().includes('forged'));
  await context.close();
});

test('a session that ends is begun again in another window; the form stays and is sent', async () => {
  const context = await stage.visitor({ size: DESKTOP });
  const asked = await issuer(context);
  const { page } = await stage.page(context, `/console#/members/${memberNo(stage.gateway, 1)}`);
  await page.getByRole('button', { name: 'Example ID でサインイン' }).click();
  await page.getByRole('button', { name: 'ポイントを調整' }).click();
  await dialog(page).getByLabel('ポイント数').fill('7');
  await dialog(page).getByLabel('理由').fill('kept over the sign-in');
  await page.route(
    '**/adjustments',
    (route) => route.continue({ headers: { ...route.request().headers(), authorization: 'Bearer ended' } }),
    { times: 1 },
  );
  await dialog(page).locator('button[type="submit"]').click();
  await dialog(page).getByRole('button', { name: 'Example ID でサインイン' }).click();
  await page
    .getByText(/^調整しました。/)
    .first()
    .waitFor();
  assert.equal(asked.length, 2);
  assert.notEqual(asked[0]?.url.searchParams.get('nonce'), asked[1]?.url.searchParams.get('nonce'));
  await context.close();
});
