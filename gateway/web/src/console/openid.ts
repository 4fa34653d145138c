// The console's sign-in with OpenID Connect (implicit flow, ID token only). The secret never leaves this browser until
// the token is back; the token carries only its hash, so a stolen token is of no use without it.

import type { OpenIdIssuer } from './answers.ts';

const SECRET_BYTES = 32;

export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');
}

export function newSecret(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
}

export async function nonceOf(secret: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret))));
}

/** Where the browser goes to sign in. */
export function authorizationUrl(issuer: OpenIdIssuer, redirect: string, state: string, nonce: string): string {
  const url = new URL(issuer.authorization_url);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new Error('no address to sign in at');
  const asked = {
    response_type: 'id_token',
    scope: 'openid',
    client_id: issuer.client_id,
    redirect_uri: redirect,
    state,
    nonce,
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  return url.href;
}

export interface CameBack {
  state: string;
  id_token?: string;
  /** The issuer's word for why not. */
  error?: string;
}

/** What the issuer put into the fragment, if it did; fragments of the console begin with `#/`. */
export function cameBack(hash: string): CameBack | undefined {
  if (!hash.startsWith('#') || hash.startsWith('#/')) return undefined;
  const given = new URLSearchParams(hash.slice(1));
  const state = given.get('state');
  const id_token = given.get('id_token');
  const error = given.get('error');
  if (state === null || (id_token === null && error === null)) return undefined;
  return { state, ...(id_token !== null && { id_token }), ...(error !== null && { error }) };
}
