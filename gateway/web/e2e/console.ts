// What journeys through the console share: signing in, members of the demo, changes with their reason, and the things
// that only a phone or a shop can make happen.

import assert from 'node:assert/strict';
import { createHmac, createPrivateKey, randomBytes, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import type { Gateway } from './gateway.ts';
import { DESKTOP, type Stage, type View, type Watched } from './stage.ts';

/** The staff of the demo. */
export type Staff = 'staff-1' | 'staff-2' | 'support-1' | 'auditor-1';

export async function fillSignIn(page: Page, client: string, secret: string): Promise<void> {
  await page.locator('input[name="client_id"]').fill(client);
  await page.locator('input[name="client_secret"]').fill(secret);
  await page.locator('input[name="client_secret"]').press('Enter');
}

/** Somebody signed in, in a browser of their own. Japanese and a desktop, unless said otherwise. */
export async function desk(
  stage: Stage,
  who: Staff | { client: string; secret: string } = 'staff-1',
  hash = '#/members',
  view: View = {},
): Promise<{ page: Page; context: BrowserContext; watched: Watched }> {
  const context = await stage.visitor({ size: DESKTOP, ...view });
  const watched = await stage.page(context, `/console${hash}`);
  const { client, secret } = typeof who === 'string' ? { client: who, secret: `demo-${who}-secret` } : who;
  await fillSignIn(watched.page, client, secret);
  await watched.page.locator('#menu').waitFor({ state: 'attached' });
  return { page: watched.page, context, watched };
}

/** The number of one of the demo's members: 1 has 1,500 points, 2 has 500, 3 none. */
export function memberNo(gateway: Gateway, which: 1 | 2 | 3): string {
  const line = new RegExp(`Member +(\\d{12}), .*card-${which}\\.pem`).exec(gateway.log);
  assert.ok(line?.[1], `the demo tells no member ${which}`);
  return line[1];
}

/** The open dialog. */
export function dialog(page: Page): Locator {
  return page.locator('dialog[open]').last();
}

/** Gives the reason in the open dialog, presses its last button, and waits until it is closed. */
export async function confirm(page: Page, reason: string): Promise<void> {
  await dialog(page)
    .getByLabel(/^(理由|Reason)$/)
    .fill(reason);
  await dialog(page).locator('button[type="submit"]').click();
  await page.locator('dialog[open] button[type="submit"]').waitFor({ state: 'detached' });
}

/** Goes to a place of the console and waits for its screen. */
export async function visit(page: Page, hash: string, heading: string | RegExp): Promise<void> {
  await page.evaluate(async (to) => {
    if (location.hash === to) return;
    const drawn = new Promise((resolve) => {
      addEventListener('hashchange', () => requestAnimationFrame(() => requestAnimationFrame(resolve)), { once: true });
    });
    location.hash = to;
    await drawn;
  }, hash);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
}

/** A call of a member's phone, signed with the key that the demo left in its folder. */
export async function phone(
  gateway: Gateway,
  which: 1 | 2 | 3,
  method: 'GET' | 'PUT',
  path: string,
  body?: unknown,
): Promise<void> {
  const token = await gateway.token('staff-1');
  const headers = { authorization: `Bearer ${token}` };
  const member = await fetch(`${gateway.url}/v1/admin/members/${memberNo(gateway, which)}`, { headers });
  const { cards } = (await member.json()) as { cards: { card_id: string }[] };
  const now_s = Math.floor(Date.now() / 1000);
  const claims = {
    aud: 'demo',
    iat: now_s,
    exp: now_s + 30,
    jti: randomBytes(16).toString('hex'),
    htm: method,
    htu: path,
  };
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'ES256', typ: 'card-proof+jwt', kid: cards[0]?.card_id })}.${part(claims)}`;
  const key = createPrivateKey(readFileSync(join(gateway.folder, 'data', `card-${which}.pem`)));
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  const answer = await fetch(gateway.url + path, {
    method,
    headers: { authorization: `Bearer ${signed}.${signature}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.text()}`);
}

/** A webhook of the demo's shop that is signed well and says nothing the gateway understands: a dead letter. */
export async function deadLetter(gateway: Gateway, delivery: string): Promise<void> {
  const body = JSON.stringify({ id: delivery });
  const answer = await fetch(`${gateway.url}/v1/ec/webhooks/shop-2`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-wc-webhook-topic': 'order.updated',
      'x-wc-webhook-delivery-id': delivery,
      'x-wc-webhook-signature': createHmac('sha256', 'demo-shop-2-webhook-secret').update(body).digest('base64'),
    },
    body,
  });
  assert.equal(answer.status, 200);
}
