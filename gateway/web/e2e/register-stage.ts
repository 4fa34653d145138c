// What the register's journeys need besides the stage: a card of the demo, a scanner that types, and a line between till and gateway that
// can be cut before a request arrives or before its answer comes back.

import { createHash, createPrivateKey, createPublicKey, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { digits, head, type SpendLimit, signedBytes } from '../src/card/card-text.ts';
import type { Gateway } from './gateway.ts';
import { DESKTOP, type Stage, type View, type Watched } from './stage.ts';

/** A member of the demo, with the key of its card. */
export class Card {
  readonly #key;
  readonly #id: Uint8Array<ArrayBuffer>;
  /** A text is good for one basket and named by its second: each is of another second. */
  static #last = 0;

  constructor(gateway: Gateway, file = 'card-1.pem') {
    this.#key = createPrivateKey(readFileSync(join(gateway.folder, 'data', file)));
    const jwk = createPublicKey(this.#key).export({ format: 'jwk' });
    const point = [Buffer.from([4]), Buffer.from(jwk.x ?? '', 'base64url'), Buffer.from(jwk.y ?? '', 'base64url')];
    this.#id = new Uint8Array(createHash('sha256').update(Buffer.concat(point)).digest().subarray(0, 8));
  }

  /** The proof with which the phone calls the gateway. */
  proof(method: string, path: string): string {
    const now = Math.floor(Date.now() / 1_000);
    const kid = Buffer.from(this.#id).toString('hex');
    const header = { alg: 'ES256', typ: 'card-proof+jwt', kid };
    const claims = { aud: 'demo', iat: now, exp: now + 30, jti: randomUUID(), htm: method, htu: path };
    const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const signature = sign('sha256', Buffer.from(signed), { key: this.#key, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }

  /** A fresh text, as the phone would show it. */
  text(limit: SpendLimit = { spend: true }): string {
    const now = Math.floor(Date.now() / 1_000);
    // Up to fifteen seconds ahead are taken; texts of one test are never of one second.
    Card.#last = Math.max(now, Card.#last + 1);
    const bytes = head({ card_id: this.#id, issued_at: Card.#last, limit });
    const signature = sign('sha256', signedBytes('demo', bytes), { key: this.#key, dsaEncoding: 'ieee-p1363' });
    return digits(new Uint8Array([...bytes, ...signature]));
  }
}

/** A short code of this card, as its phone would ask for one. */
export async function shortCode(stage: Stage, card: Card): Promise<string> {
  const path = '/v1/me/short-codes';
  const answer = await fetch(`${stage.gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${card.proof('POST', path)}`, 'content-type': 'application/json' },
    body: '{}',
  });
  const told = (await answer.json()) as { text?: string };
  if (!told.text) throw new Error(`no short code: ${JSON.stringify(told)}`);
  return told.text;
}

const CODES: Record<string, string> = { '\r': 'Enter', '\t': 'Tab', ']': 'BracketRight' };

/** Types as a keyboard-wedge scanner does: each key two milliseconds after the one before, by the keys' own time stamps. */
export async function wedge(page: Page, text: string, suffix: '\r' | '\t' | '' = '\r'): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const start = Date.now() / 1_000;
  const keys = [...`${text}${suffix}`].flatMap((character, index) => {
    const code = CODES[character] ?? (/\d/.test(character) ? `Digit${character}` : `Key${character.toUpperCase()}`);
    const key = character === '\r' ? 'Enter' : character === '\t' ? 'Tab' : character;
    const timestamp = start + index * 0.002;
    const more = key.length === 1 ? { text: key } : {};
    return [
      session.send('Input.dispatchKeyEvent', { type: 'keyDown', code, key, timestamp, ...more }),
      session.send('Input.dispatchKeyEvent', { type: 'keyUp', code, key, timestamp: timestamp + 0.001 }),
    ];
  });
  await Promise.all(keys);
  await session.detach();
}

/** Types as a person does, once there is a field to type into. */
export async function types(page: Page, text: string): Promise<void> {
  await page.waitForFunction(() => document.activeElement instanceof HTMLInputElement);
  await page.keyboard.type(text, { delay: 150 });
}

/** From the receipt to the next sale, by the key that is marked there. */
export async function onward(page: Page): Promise<void> {
  await page.waitForFunction(() => document.activeElement?.matches('button.primary'));
  await page.keyboard.press('Enter');
  await page.locator('#entry').waitFor();
}

/** What the line does to a request. `cut_before`: it never arrives. `cut_after`: it arrives, and its answer is lost. */
export type Fault = 'cut_before' | 'cut_after' | 'unauthorized';

/** The line between till and gateway. */
export class LineToGateway {
  /** Asked for each request to the API; `undefined` lets it pass. A promise is a slow line: the request waits for it. */
  fault: (method: string, path: string) => Fault | undefined | Promise<undefined> = () => undefined;
  /** What arrived at the gateway: `POST /v1/pos/purchases` and its body. */
  readonly arrived: { what: string; body: string }[] = [];

  private constructor(
    private readonly server: Server,
    private readonly gateway: Gateway,
  ) {}

  static async open(gateway: Gateway): Promise<LineToGateway> {
    const server = createServer();
    const line = new LineToGateway(server, gateway);
    server.on('request', (asked, answer) => void line.#pass(asked, answer));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return line;
  }

  get url(): string {
    const address = this.server.address();
    return typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : '';
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of asked) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const [method, path] = [asked.method ?? 'GET', asked.url ?? '/'];
    const fault = path.startsWith('/v1/') || path.startsWith('/oauth/') ? await this.fault(method, path) : undefined;
    if (fault === 'cut_before') {
      asked.destroy();
      return;
    }
    if (fault === 'unauthorized') {
      answer.writeHead(401, { 'content-type': 'application/problem+json' });
      answer.end(JSON.stringify({ type: '/problems/invalid_token', title: 'x', status: 401, detail: 'ended' }));
      return;
    }
    const on = request(
      { host: '127.0.0.1', port: this.gateway.port, method, path, headers: asked.headers },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          if (path.startsWith('/v1/')) this.arrived.push({ what: `${method} ${path}`, body: body.toString() });
          if (fault === 'cut_after') {
            asked.destroy();
            return;
          }
          answer.writeHead(response.statusCode ?? 502, response.headers);
          answer.end(Buffer.concat(parts));
        });
      },
    );
    on.on('error', () => asked.destroy());
    on.end(body);
  }

  /** How many requests of a kind arrived. */
  count(what: string): number {
    return this.arrived.filter((each) => each.what === what).length;
  }
}

/** Makes the line slow for one path: it is waited for until the result is called. */
export function slow(line: LineToGateway, path: string): () => void {
  let open = (): void => undefined;
  const opened = new Promise<undefined>((resolve) => {
    open = () => resolve(undefined);
  });
  line.fault = (_, asked) => (asked === path ? opened : undefined);
  return () => {
    line.fault = () => undefined;
    open();
  };
}

/** A row of the register's own database. */
export async function rows<T>(page: Page, store: string): Promise<T[]> {
  return page.evaluate(
    (name) =>
      new Promise<never[]>((resolve, reject) => {
        const opening = indexedDB.open('register');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const asked = opening.result.transaction(name).objectStore(name).getAll();
          asked.onsuccess = () => {
            opening.result.close();
            resolve(asked.result as never[]);
          };
        };
      }),
    store,
  );
}

/** A register in a browser of its own, set up as the demo's till. */
export async function openRegister(
  stage: Stage,
  view: View & { line?: LineToGateway } = {},
): Promise<Watched & { context: BrowserContext }> {
  const { line, ...rest } = view;
  const more = { ...rest.more, ...(line ? { baseURL: line.url } : {}) };
  const context = await stage.visitor({ size: DESKTOP, ...rest, more });
  const watched = await stage.page(context, '/register');
  await setUp(watched.page);
  return Object.assign(watched, { context });
}

/** Enters the demo's till and waits for the sale. */
export async function setUp(page: Page): Promise<void> {
  await page.getByRole('button', { name: /デモの値|demo’s values/ }).click();
  await page.getByRole('button', { name: /レジを開く|Open the register/ }).click();
  await page.locator('#entry').waitFor();
}

/** The gateway's own word on the points of a card. */
export async function pointsOf(stage: Stage, card: Card): Promise<number> {
  const id = `check-${Date.now()}-${Math.random().toString(36).slice(2)}`;
  const response = await fetch(`${stage.gateway.url}/v1/pos/inquiries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await stage.gateway.token('till-3')}` },
    body: JSON.stringify({ request_id: id, basket_id: id, card: card.text() }),
  });
  const answer = (await response.json()) as { points?: { available: number }; reason?: string };
  if (!answer.points) throw new Error(`no points: ${JSON.stringify(answer)}`);
  return answer.points.available;
}
