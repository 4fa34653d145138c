import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorizationUrl, cameBack, newSecret, nonceOf } from './openid.ts';

const ISSUER = {
  issuer: 'https://id.example',
  name: 'Example ID',
  client_id: 'points-console',
  authorization_url: 'https://id.example/authorize?tenant=a',
};

test('the browser is sent with the hash of the secret and never with the secret', async () => {
  const secret = newSecret();
  assert.match(secret, /^[\w-]{43}$/);
  const nonce = await nonceOf(secret);
  const url = new URL(authorizationUrl(ISSUER, 'https://points.example/console', 'state', nonce));
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    tenant: 'a',
    response_type: 'id_token',
    scope: 'openid',
    client_id: 'points-console',
    redirect_uri: 'https://points.example/console',
    state: 'state',
    nonce,
  });
  assert.ok(!url.href.includes(secret));
});

test('the nonce is base64url(SHA-256(secret)) without padding', async () => {
  assert.equal(await nonceOf('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
});

test('only a page is gone to', () => {
  assert.throws(() => authorizationUrl({ ...ISSUER, authorization_url: 'javascript:alert(1)' }, '', '', ''));
});

test('what came back is told from a place of the console', () => {
  assert.deepEqual(cameBack('#id_token=a.b.c&state=s'), { state: 's', id_token: 'a.b.c' });
  assert.deepEqual(cameBack('#error=access_denied&state=s'), { state: 's', error: 'access_denied' });
  for (const hash of ['', '#/members', '#/members?id_token=a&state=s', '#id_token=a', '#state=s', '#x']) {
    assert.equal(cameBack(hash), undefined, hash);
  }
});
