import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digits, head, type SpendLimit, signCardText, signedBytes } from './card-text.ts';

interface Vector {
  private_key: string;
  public_key: string;
  card_id: string;
  issued_at: number;
  spend_limit: number | null;
  text: string;
}
const path = join(import.meta.dirname, '../../../../member-card/tests/vectors/member-card-v1.json');
const vectors = JSON.parse(readFileSync(path, 'utf8')) as { programme: string; valid: Vector[]; invalid: unknown[] };

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };

/** Reads a text back, as a till's gateway does. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  assert.match(text, /^7001[0-9]{195}$/);
  const bytes: number[] = [];
  const read = (group: string, count: number): void => {
    const value = BigInt(group);
    for (let shift = count - 1; shift >= 0; shift -= 1) bytes.push(Number((value >> BigInt(8 * shift)) & 255n));
  };
  for (let at = 4; at < 191; at += 17) read(text.slice(at, at + 17), 7);
  read(text.slice(191), 3);
  return new Uint8Array(bytes);
}

function limitOf(vector: Vector): SpendLimit {
  const flags = bytesOf(vector.text)[0] ?? 0;
  if ((flags & 1) === 0) return { spend: false };
  return vector.spend_limit === null ? { spend: true } : { spend: true, points: vector.spend_limit };
}

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

test('the vectors are there', () => {
  assert.ok(vectors.valid.length >= 10);
});

for (const vector of vectors.valid) {
  const name = `card of ${vector.card_id} at ${vector.issued_at}, limit ${vector.spend_limit}`;
  const parts = { card_id: bytes(vector.card_id), issued_at: vector.issued_at, limit: limitOf(vector) };
  const point = new Uint8Array(Buffer.from(vector.public_key, 'base64url'));

  test(`${name}: the same digits`, async () => {
    const expected = bytesOf(vector.text);
    assert.deepEqual(head(parts), expected.slice(0, 16));
    assert.equal(digits(expected), vector.text);
    const key = await crypto.subtle.importKey('raw', point, ALGORITHM, false, ['verify']);
    const signed = signedBytes(vectors.programme, head(parts));
    assert.ok(await crypto.subtle.verify(SIGNATURE, key, expected.slice(16), signed));
  });

  test(`${name}: signed anew`, async () => {
    const b64 = (part: Uint8Array): string => Buffer.from(part).toString('base64url');
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: b64(point.slice(1, 33)),
      y: b64(point.slice(33)),
      d: b64(bytes(vector.private_key)),
    };
    const key = await crypto.subtle.importKey('jwk', jwk, ALGORITHM, false, ['sign']);
    const text = await signCardText(key, vectors.programme, parts);
    assert.equal(text.length, 199);
    const made = bytesOf(text);
    assert.deepEqual(made.slice(0, 16), bytesOf(vector.text).slice(0, 16));
    const verifier = await crypto.subtle.importKey('raw', point, ALGORITHM, false, ['verify']);
    assert.ok(
      await crypto.subtle.verify(SIGNATURE, verifier, made.slice(16), signedBytes(vectors.programme, head(parts))),
    );
  });
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
