// The text of a member card, version 1: 80 signed bytes as 199 digits. What it means stands in the gateway's documents;
// here is only how a phone makes one. It is signed on the phone and good for one basket.

/** What the shopper lets this card spend in its basket. */
export type SpendLimit = { spend: false } | { spend: true; points?: number };

export const SPEND_POINTS_MAX = 0xff_fffe;
const UNLIMITED = 0xff_ffff;
const VERSION = 0x10;
const SPENDS = 0x01;
const HEAD_BYTES = 16;
const PREFIX = '7001';
const DOMAIN = 'member-card.v1';

export interface CardTextParts {
  /** The first 8 bytes of SHA-256 over the key's uncompressed point. */
  card_id: Uint8Array<ArrayBuffer>;
  /** Unix seconds on the gateway's clock. */
  issued_at: number;
  limit: SpendLimit;
}

/** The sixteen bytes that are signed and shown. */
export function head({ card_id, issued_at, limit }: CardTextParts): Uint8Array<ArrayBuffer> {
  const points = limit.spend ? (limit.points ?? UNLIMITED) : 0;
  if (card_id.length !== 8) throw new RangeError('a card id has 8 bytes');
  if (!Number.isInteger(issued_at) || issued_at < 0 || issued_at > 0xffff_ffff) throw new RangeError('issued_at');
  if (!Number.isInteger(points) || points < 0 || points > UNLIMITED) throw new RangeError('spend limit');
  const bytes = new Uint8Array(HEAD_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION | (limit.spend ? SPENDS : 0);
  bytes.set(card_id, 1);
  view.setUint32(9, issued_at);
  view.setUint8(13, points >>> 16);
  view.setUint16(14, points & 0xffff);
  return bytes;
}

/** What the signature is over: nothing else of this key can be taken for it, and no other programme takes it. */
export function signedBytes(programme: string, headBytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const before = new TextEncoder().encode(`${DOMAIN}\0${programme}\0`);
  const bytes = new Uint8Array(before.length + headBytes.length);
  bytes.set(before);
  bytes.set(headBytes, before.length);
  return bytes;
}

/** Eleven groups of seven bytes in 17 digits each, and the last three bytes in 8. */
export function digits(bytes: Uint8Array): string {
  if (bytes.length !== 80) throw new RangeError('a card has 80 bytes');
  let text = PREFIX;
  for (let at = 0; at < 77; at += 7) text += group(bytes.subarray(at, at + 7), 17);
  return text + group(bytes.subarray(77), 8);
}

function group(bytes: Uint8Array, width: number): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value.toString().padStart(width, '0');
}

/** Signs a new text. */
export async function signCardText(key: CryptoKey, programme: string, parts: CardTextParts): Promise<string> {
  const headBytes = head(parts);
  const signature = await crypto.subtle.sign(
    { name: 'ECDSA', hash: 'SHA-256' },
    key,
    signedBytes(programme, headBytes),
  );
  const bytes = new Uint8Array(80);
  bytes.set(headBytes);
  bytes.set(new Uint8Array(signature), HEAD_BYTES);
  return digits(bytes);
}
