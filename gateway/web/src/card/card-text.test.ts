import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CardTextParts, digits, head, type SpendLimit, signCardText, signedBytes } from './card-text.ts';

interface Scanned {
  public_key: string;
  text: string;
}
interface Valid extends Scanned {
  private_key: string;
  card_id: string;
  issued_at: number;
  /** Nothing: the card only earns. */
  spend_limit: number | null;
}
interface Invalid extends Scanned {
  why: string;
}
const path = join(import.meta.dirname, '../../../../member-card/tests/vectors/member-card-v1.json');
const vectors = JSON.parse(readFileSync(path, 'utf8')) as { programme: string; valid: Valid[]; invalid: Invalid[] };

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };
const UNLIMITED = 0xff_ffff;

/** Reads a text back and proves it, as a till's gateway does; throws at what is no card of this key. */
async function read({ text, public_key }: Scanned): Promise<CardTextParts> {
  const scanned = bytesOf(text);
  const point = new Uint8Array(Buffer.from(public_key, 'base64url'));
  const [first = 0] = scanned;
  assert.equal(first & 0xfe, 0x10, 'version and flags');
  const view = new DataView(scanned.buffer);
  const points = view.getUint32(12) & 0xff_ffff;
  const spends = (first & 1) === 1;
  assert.ok(spends || points === 0, 'a limit of a card that only earns');
  const key = await crypto.subtle.importKey('raw', point, ALGORITHM, false, ['verify']);
  const signed = signedBytes(vectors.programme, scanned.slice(0, 16));
  assert.ok(await crypto.subtle.verify(SIGNATURE, key, scanned.slice(16), signed), 'signature');
  const card_id = scanned.slice(1, 9);
  assert.deepEqual(card_id, new Uint8Array(await crypto.subtle.digest('SHA-256', point)).slice(0, 8), 'card id');
  const limit = spends ? { spend: true as const, ...(points !== UNLIMITED && { points }) } : { spend: false as const };
  return { card_id, issued_at: view.getUint32(9), limit };
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  assert.match(text, /^7001[0-9]{195}$/);
  const bytes: number[] = [];
  const group = (digits: string, count: number): void => {
    const value = BigInt(digits);
    assert.ok(value < 1n << BigInt(8 * count), 'a group above its range');
    for (let shift = count - 1; shift >= 0; shift -= 1) bytes.push(Number((value >> BigInt(8 * shift)) & 255n));
  };
  for (let at = 4; at < 191; at += 17) group(text.slice(at, at + 17), 7);
  group(text.slice(191), 3);
  return new Uint8Array(bytes);
}

function limitOf({ spend_limit }: Valid): SpendLimit {
  if (spend_limit === null) return { spend: false };
  return spend_limit === UNLIMITED ? { spend: true } : { spend: true, points: spend_limit };
}

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

test('the vectors are there', () => {
  assert.ok(vectors.valid.length >= 10 && vectors.invalid.length >= 20);
});

for (const vector of vectors.valid) {
  const name = `card of ${vector.card_id} at ${vector.issued_at}, limit ${vector.spend_limit}`;
  const parts = { card_id: bytes(vector.card_id), issued_at: vector.issued_at, limit: limitOf(vector) };

  test(`${name}: the same digits`, async () => {
    assert.deepEqual(await read(vector), parts);
    const expected = bytesOf(vector.text);
    assert.deepEqual(head(parts), expected.slice(0, 16));
    assert.equal(digits(expected), vector.text);
  });

  test(`${name}: signed anew, over the same bytes`, async () => {
    const text = await signCardText(await privateKey(vector), vectors.programme, parts);
    assert.equal(text.length, 199);
    assert.deepEqual(await read({ text, public_key: vector.public_key }), parts);
    assert.deepEqual(bytesOf(text).slice(0, 16), bytesOf(vector.text).slice(0, 16));
  });
}

for (const vector of vectors.invalid) {
  test(`no card: ${vector.why}`, async () => {
    await assert.rejects(read(vector));
  });
}

function privateKey({ private_key, public_key }: Valid): Promise<CryptoKey> {
  const point = new Uint8Array(Buffer.from(public_key, 'base64url'));
  const encode = (part: Uint8Array): string => Buffer.from(part).toString('base64url');
  const [x, y, d] = [point.slice(1, 33), point.slice(33), bytes(private_key)].map(encode);
  const jwk = { kty: 'EC', crv: 'P-256', x, y, d } as JsonWebKey;
  return crypto.subtle.importKey('jwk', jwk, ALGORITHM, false, ['sign']);
}

test('what no card can say is not signed', () => {
  const parts = { card_id: new Uint8Array(8), issued_at: 1, limit: { spend: true } as const };
  for (const wrong of [
    { ...parts, card_id: new Uint8Array(7) },
    { ...parts, issued_at: -1 },
    { ...parts, issued_at: 2 ** 32 },
    { ...parts, issued_at: 1.5 },
    { ...parts, limit: { spend: true, points: -1 } as const },
    { ...parts, limit: { spend: true, points: 2 ** 24 } as const },
  ]) {
    assert.throws(() => head(wrong), RangeError);
  }
});
