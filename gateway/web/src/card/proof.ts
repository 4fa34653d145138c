// Card proofs: the JWT with which every call of the phone proves that it has the card's key. One for each call.

import { hex } from './keys.ts';

/** Far below the minute a proof may live: it is used at once. */
const LIFE_S = 30;

export interface ProofOf {
  card_id: string;
  programme: string;
  method: string;
  /** Without its query. */
  path: string;
  /** Unix seconds on the gateway's clock. */
  now_s: number;
}

export async function proof(key: CryptoKey, { card_id, programme, method, path, now_s }: ProofOf): Promise<string> {
  const header = { alg: 'ES256', typ: 'card-proof+jwt', kid: card_id };
  const claims = {
    aud: programme,
    iat: now_s,
    exp: now_s + LIFE_S,
    jti: hex(crypto.getRandomValues(new Uint8Array(16))),
    htm: method,
    htu: path.split('?')[0],
  };
  const encode = (part: unknown): string => base64url(new TextEncoder().encode(JSON.stringify(part)));
  const signed = `${encode(header)}.${encode(claims)}`;
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const signature = await crypto.subtle.sign(algorithm, key, new TextEncoder().encode(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}

function base64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
