// Who is signed in. The client's secret is sent once and kept nowhere; the token lives in this tab's `sessionStorage`,
// so a reload keeps the session and a closed tab ends it.
//
// A call that is answered 401 was not done. It waits here until somebody signed in again; reading calls are then sent
// again, and changing ones if it is still the same person. So nothing that was typed is lost.

import { signal } from '@preact/signals';
import { type Answer, call, Problem } from '../kit/api.ts';
import type { Me, OpenIdIssuer, SignInWays, Token } from './answers.ts';
import { CALLS, type CallName, changes, type Query, shape, target } from './calls.ts';
import { authorizationUrl, type CameBack, newSecret, nonceOf } from './openid.ts';

const KEY = 'console.session';
const PENDING = 'console.openid';
const CHANNEL = 'console.openid';
/** A figure may be computed behind another. */
const DEADLINE_MS = 30_000;

interface Session {
  token: string;
  me: Me;
  /** How one signed in, to do the same again. */
  client?: string;
  issuer?: OpenIdIssuer;
}

export const session = signal<Session | undefined>(undefined);
/** The token ended and something waits for another. */
export const ended = signal(false);

/** Somebody else signed in meanwhile: what was asked for was not sent again. */
export class AnotherPerson extends Error {
  override readonly name = 'AnotherPerson';
}

let waiting: ((signedIn: boolean) => void)[] = [];

export function may(name: CallName): boolean {
  const wanted = shape(CALLS[name]);
  return session.value?.me.calls.some((given) => shape(given) === wanted) ?? false;
}

export function me(): Me {
  const now = session.value;
  if (!now) throw new Error('nobody is signed in');
  return now.me;
}

async function send<T>(
  token: string,
  name: CallName,
  places: Record<string, string>,
  more: { body?: unknown; query?: Query; signal?: AbortSignal },
): Promise<Answer<T>> {
  const { method, path } = target(name, places, more.query);
  return call<T>(path, {
    method,
    headers: { authorization: `Bearer ${token}` },
    deadline_ms: DEADLINE_MS,
    ...(method === 'POST' && { body: more.body ?? {} }),
    ...(more.signal && { signal: more.signal }),
  });
}

/** Runs something with the token, and again after signing in where the token has ended. */
export async function withToken<T>(name: CallName, run: (token: string) => Promise<T>): Promise<T> {
  for (;;) {
    const before = session.value;
    if (!before) throw new Error('nobody is signed in');
    try {
      return await run(before.token);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      // Another call may have been faster to sign in again.
      if (session.value?.token === before.token && !(await signInAgain())) throw error;
      if (changes(name) && session.value?.me.actor !== before.me.actor) throw new AnotherPerson();
    }
  }
}

/** Makes a call of the console and gives the body of its answer. */
export async function ask<T>(
  name: CallName,
  places: Record<string, string> = {},
  more: { body?: unknown; query?: Query; signal?: AbortSignal } = {},
): Promise<T> {
  return withToken(name, async (token) => (await send<T>(token, name, places, more)).body);
}

function signInAgain(): Promise<boolean> {
  ended.value = true;
  return new Promise((resolve) => waiting.push(resolve));
}

function settle(signedIn: boolean): void {
  const these = waiting;
  waiting = [];
  ended.value = false;
  for (const resolve of these) resolve(signedIn);
}

async function begin(token: string, how: Pick<Session, 'client' | 'issuer'>): Promise<void> {
  const { body } = await send<Me>(token, 'me', {}, {});
  session.value = { token, me: body, ...how };
  keep({ token, ...how });
  settle(true);
}

function keep(row: unknown): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(row));
  } catch {
    // Without storage a reload asks to sign in again.
  }
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  session.value = undefined;
  settle(false);
}

/** Goes on with the session of before the reload, if there is one and it has not ended. */
export async function resume(): Promise<void> {
  const row = kept();
  if (!row) return;
  try {
    await begin(row.token, { ...(row.client && { client: row.client }), ...(row.issuer && { issuer: row.issuer }) });
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
    sessionStorage.removeItem(KEY);
  }
}

function kept(): Omit<Session, 'me'> | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

export async function ways(signal: AbortSignal): Promise<SignInWays> {
  return (await call<SignInWays>('/v1/admin/sign-in', { signal })).body;
}

export async function signInWithClient(client_id: string, client_secret: string): Promise<void> {
  const form = { grant_type: 'client_credentials', scope: 'admin', client_id, client_secret };
  const { body } = await call<Token>('/oauth/token', { method: 'POST', form }).catch((error: unknown) => {
    // RFC 6749 has its own form of refusals, which is no problem document.
    if (error instanceof Problem && error.status === 401) throw new ClientRefused('invalid_client');
    if (error instanceof Problem && error.status === 400) throw new ClientRefused('invalid_scope');
    throw error;
  });
  await begin(body.access_token, { client: client_id });
}

/** The client was not let in. */
export class ClientRefused extends Error {
  override readonly name = 'ClientRefused';
  constructor(readonly word: 'invalid_client' | 'invalid_scope') {
    super(word);
  }
}

interface Pending {
  state: string;
  secret: string;
  issuer: OpenIdIssuer;
  /** Where one was. */
  hash: string;
}

async function pending(issuer: OpenIdIssuer): Promise<Pending & { url: string }> {
  const row = { state: newSecret(), secret: newSecret(), issuer, hash: location.hash };
  const url = authorizationUrl(issuer, `${location.origin}/console`, row.state, await nonceOf(row.secret));
  return { ...row, url };
}

/** Leaves for the issuer; `finishOpenId` goes on when the browser is back. */
export async function leaveForOpenId(issuer: OpenIdIssuer): Promise<void> {
  const { url, ...row } = await pending(issuer);
  sessionStorage.setItem(PENDING, JSON.stringify(row));
  location.assign(url);
}

/** Signs in at the issuer in another window, so that this page keeps what was typed. */
export async function openIdAgain(issuer: OpenIdIssuer, signal: AbortSignal): Promise<void> {
  const { url, ...row } = await pending(issuer);
  const channel = new BroadcastChannel(CHANNEL);
  try {
    const back = new Promise<CameBack>((resolve, reject) => {
      channel.onmessage = ({ data }: MessageEvent<CameBack>) => {
        if (data.state === row.state) resolve(data);
      };
      signal.addEventListener('abort', () => reject(signal.reason));
    });
    // Without `noopener` the new window would get a copy of this tab's token.
    window.open(url, '_blank', 'noopener');
    await exchange(row, await back);
  } finally {
    channel.close();
  }
}

async function exchange(row: Pending, back: CameBack): Promise<void> {
  if (!back.id_token) throw new OpenIdRefused(back.error ?? '');
  const body = { id_token: back.id_token, nonce: row.secret };
  const answer = await call<Token>('/v1/admin/sessions', { method: 'POST', body });
  await begin(answer.body.access_token, { issuer: row.issuer });
}

/** The issuer did not sign in. */
export class OpenIdRefused extends Error {
  override readonly name = 'OpenIdRefused';
}

/** The token is on its way to the window that asked for it. */
export type Handed = 'handed over';

export async function finishOpenId(back: CameBack): Promise<Handed | undefined> {
  const text = sessionStorage.getItem(PENDING);
  sessionStorage.removeItem(PENDING);
  const row = text === null ? undefined : (JSON.parse(text) as Pending);
  if (row?.state !== back.state) {
    // Asked for by another window of this browser. It alone has the secret.
    const channel = new BroadcastChannel(CHANNEL);
    channel.postMessage(back);
    channel.close();
    return 'handed over';
  }
  history.replaceState(null, '', row.hash || '#/members');
  await exchange(row, back);
  return undefined;
}
