// The card's key. It is made here, cannot be read out, and is kept by the browser; only what it signs leaves the phone.

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };

export interface CardKey {
  keys: CryptoKeyPair;
  /** 16 hex digits; a function of the public key. */
  card_id: string;
}

export async function makeKey(): Promise<CardKey> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  const point = await crypto.subtle.exportKey('raw', keys.publicKey);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', point));
  return { keys, card_id: hex(hash.subarray(0, 8)) };
}

export interface PublicJwk {
  kty: string;
  crv: string;
  x: string;
  y: string;
}

export async function publicJwk(keys: CryptoKeyPair): Promise<PublicJwk> {
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', keys.publicKey);
  if (!kty || !crv || !x || !y) throw new Error('the browser exports no public key');
  return { kty, crv, x, y };
}

/** Whether a kept key still signs: browsers have lost keys and left their rows. */
export async function stillSigns(keys: CryptoKeyPair | undefined): Promise<boolean> {
  try {
    if (!keys) return false;
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, keys.privateKey, bytes);
    return await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, keys.publicKey, signature, bytes);
  } catch {
    return false;
  }
}

export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array((text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));
}
