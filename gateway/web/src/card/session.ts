// The card as a whole: what the page knows, as signals, and what can be done with it. Screens read and call this; nothing
// here knows how anything looks.
//
// The phases: a page opens and finds no storage, no card, a card, or the remains of one. A card can also end while it is
// shown: revoked, or unknown to a gateway that lost its data. Each end has a way on.

import { computed, signal } from '@preact/signals';
import { type Call, call, NoAnswer, Problem, problem } from '../kit/api.ts';
import type { SpendLimit } from './card-text.ts';
import { GatewayClock, type Trust } from './clock.ts';
import type { Enrolled, History, Me, Programme } from './gateway.ts';
import type { Notice } from './happenings.ts';
import { makeKey, publicJwk, stillSigns } from './keys.ts';
import { proof } from './proof.ts';
import { alone, type Kept, type KeptCard, rememberNumber, Vault } from './vault.ts';

export type Phase = 'opening' | 'no_storage' | 'welcome' | 'card' | 'key_lost' | 'revoked' | 'unknown_card';

export const phase = signal<Phase>('opening');
export const card = signal<KeptCard | undefined>(undefined);
export const me = signal<{ me: Me; at: string } | undefined>(undefined);
export const limit = signal<SpendLimit>({ spend: true });
/** Whether the limit will hold when the page is opened again. */
export const limit_kept = signal(true);
export const notices = signal<readonly Notice[]>([]);
export const seen = signal('');
/** What stores are called, by their ids. */
export const stores = signal<Readonly<Record<string, string>>>({});
/** Whether the gateway answered last time. */
export const online = signal(true);
export const trust = signal<Trust>('kept');
/** How far ahead of the gateway the phone's clock is. */
export const phone_ahead_ms = signal(0);
/** Counts how often the gateway's time turned out to be another than was thought, or came in doubt. */
export const corrections = signal(0);
export const unseen = computed(() => notices.value.findIndex((notice) => notice.id === seen.value));

const CORRECTION_MS = 2_000;
export const clock = new GatewayClock();
let vault: Vault | undefined;

/** The vault of an open page. */
export function kept(): Vault {
  if (!vault) throw new Error('the page is not open yet');
  return vault;
}

/** Finds out what this phone has. */
export async function open(): Promise<void> {
  try {
    vault = await Vault.open(() => {
      phase.value = 'no_storage';
    });
    await load();
  } catch {
    phase.value = 'no_storage';
    return;
  }
  vault.onChange((key) => void follow(key));
}

async function load(): Promise<void> {
  const time = await kept().get('clock');
  if (time) clock.resume(time);
  showClock();
  limit.value = (await kept().get('limit')) ?? { spend: true };
  me.value = await kept().get('me');
  notices.value = (await kept().get('notices')) ?? [];
  seen.value = (await kept().get('seen')) ?? '';
  stores.value = (await kept().get('stores')) ?? {};
  const found = await kept().get('card');
  card.value = found;
  if (!found) phase.value = 'welcome';
  else if (!(await stillSigns(found.keys))) phase.value = 'key_lost';
  else phase.value = found.member_no ? 'card' : 'welcome';
}

/** Another tab changed something. */
async function follow(key: keyof Kept): Promise<void> {
  if (key === 'card') await load();
  else if (key === 'limit') limit.value = (await kept().get('limit')) ?? { spend: true };
  else if (key === 'me') me.value = await kept().get('me');
  else if (key === 'notices') notices.value = (await kept().get('notices')) ?? [];
  else if (key === 'stores') stores.value = (await kept().get('stores')) ?? {};
  else if (key === 'seen') seen.value = (await kept().get('seen')) ?? '';
}

export function showClock(): void {
  const doubted = trust.value !== 'unsure' && clock.trust === 'unsure';
  trust.value = clock.trust;
  if (doubted) corrections.value += 1;
  phone_ahead_ms.value = clock.phone_ahead_ms;
}

/** Writes down the offset, for a start without a network. */
export function keepClock(): void {
  void vault?.put('clock', clock.keep()).catch(() => undefined);
}

/** Learns the time from an answer or a refusal, and that there is a network. */
function heard(server_time: unknown, asked_at: number, answered_at: number): void {
  if (typeof server_time === 'string') {
    learn(Date.parse(server_time), asked_at, answered_at, 0);
    keepClock();
  }
  showClock();
  online.value = true;
}

/** A code that was made by a wrong clock is no good: it is made anew when the clock is set right. */
function learn(server_ms: number, asked_at: number, answered_at: number, resolution_ms: number): void {
  const before = clock.now();
  clock.learn(server_ms, asked_at, answered_at, resolution_ms);
  if (Math.abs(clock.now() - before) > CORRECTION_MS) corrections.value += 1;
}

/** A call that needs no proof, or brings its own. */
async function plain<T extends { server_time?: string }>(path: string, request: Call): Promise<T> {
  try {
    const answer = await call<T>(path, request);
    heard(answer.body?.server_time, answer.asked_at, answer.answered_at);
    return answer.body;
  } catch (error) {
    if (error instanceof NoAnswer) online.value = error.why === 'cancelled' && online.value;
    throw error;
  }
}

async function authorization(path: string, method: string): Promise<Record<string, string>> {
  const { keys, card_id, programme } = required();
  const token = await proof(keys.privateKey, { card_id, programme, method, path, now_s: clock.seconds() });
  return { authorization: `Bearer ${token}` };
}

function required(): KeptCard {
  const found = card.value;
  if (!found) throw new Error('there is no card');
  return found;
}

/**
 * Calls the gateway as this card. A proof that is refused may be refused for its time: the refusal tells the gateway's
 * time, so it is tried once more.
 */
export async function ask<T>(path: string, request: Call = {}): Promise<T> {
  return signedTwice(async () => {
    const headers = await authorization(path, request.method ?? 'GET');
    return plain<T & { server_time?: string }>(path, { ...request, headers: { ...request.headers, ...headers } });
  });
}

/** A call whose answer is a file. */
export async function askFile(path: string, request: Call): Promise<Blob> {
  return signedTwice(async () => {
    const method = request.method ?? 'GET';
    const headers = { 'content-type': 'application/json', ...(await authorization(path, method)) };
    const response = await fetch(path, {
      method,
      headers,
      body: JSON.stringify(request.body),
      credentials: 'omit',
    }).catch((error: unknown) => {
      online.value = false;
      throw new NoAnswer('network', error);
    });
    if (response.ok) return response.blob();
    throw problem(response, await response.json().catch(() => undefined), Date.now());
  });
}

/** The stream of events, whose answer does not end. */
export async function askStream(position: string | undefined, stop: AbortSignal): Promise<Response> {
  const path = '/v1/me/stream';
  return signedTwice(async () => {
    const headers: Record<string, string> = { accept: 'text/event-stream', ...(await authorization(path, 'GET')) };
    if (position) headers['last-event-id'] = position;
    const response = await fetch(path, { headers, signal: stop, cache: 'no-store', credentials: 'omit' });
    if (response.ok) return response;
    const body: unknown = await response.json().catch(() => undefined);
    throw problem(response, body, Date.now());
  });
}

async function signedTwice<T>(run: () => Promise<T>): Promise<T> {
  const asked_at = Date.now();
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Problem && error.word === 'invalid_proof')) throw ended(error);
    learnFromRefusal(error, asked_at);
  }
  try {
    return await run();
  } catch (error) {
    throw ended(error);
  }
}

function learnFromRefusal(refusal: Problem, asked_at: number): void {
  const date = Date.parse(refusal.headers.get('date') ?? '');
  learn(date, asked_at, refusal.answered_at, 1_000);
  showClock();
}

/** Notes that the card is at its end, if that is what the gateway says. */
function ended(error: unknown): unknown {
  if (error instanceof Problem) {
    online.value = true;
    if (error.word === 'card_revoked') phase.value = 'revoked';
    else if (error.word === 'invalid_proof' && phase.value === 'card') phase.value = 'unknown_card';
  }
  return error;
}

let asked: Promise<Programme> | undefined;

/** Which programme this is, and what time. Asked once: the tap that makes the card need not wait for it. */
export function programme(): Promise<Programme> {
  asked ??= plain<Programme>('/v1/programme', {}).catch((error: unknown) => {
    asked = undefined;
    throw error;
  });
  return asked;
}

/**
 * Makes the card: a key, kept before anybody hears of it, and a member at the gateway. If the answer is lost the same
 * key is enrolled again, which is the same card. Tabs enrol one after the other, and the second finds the first's card.
 */
export function enrol(): Promise<void> {
  return alone('enrol', async () => {
    let found = await kept().get('card');
    if (!found?.member_no || phase.value === 'unknown_card') {
      const { programme: id, name } = await programme();
      if (!found || !(await stillSigns(found.keys)) || found.programme !== id) {
        found = { ...(await makeKey()), programme: id, programme_name: name };
        await kept().put('card', found);
      }
      card.value = found;
      const { member_no } = await signedTwice(() => sendKey(required()));
      found = { ...required(), programme_name: name, member_no };
      await kept().put('card', found);
    }
    card.value = found;
    phase.value = 'card';
    rememberNumber(found.member_no);
    void navigator.storage?.persist?.().catch(() => false);
  });
}

async function sendKey({ keys, card_id, programme }: KeptCard): Promise<Enrolled> {
  const now_s = clock.seconds();
  const token = await proof(keys.privateKey, { card_id, programme, method: 'POST', path: '/v1/cards', now_s });
  const body = { public_key: await publicJwk(keys), proof: token };
  return plain<Enrolled>('/v1/cards', { method: 'POST', body });
}

/** Throws the card's remains away and makes a new one. */
export async function beginAnew(): Promise<void> {
  await forget();
  await enrol();
}

export async function forget(): Promise<void> {
  await kept().clear();
  keepClock();
  me.value = undefined;
  notices.value = [];
  card.value = undefined;
  rememberNumber(undefined);
  phase.value = 'welcome';
}

/** Asks how things stand. */
export async function refresh(): Promise<void> {
  if (phase.value !== 'card') return;
  const now = await ask<Me>('/v1/me');
  me.value = { me: now, at: now.server_time };
  // A phone with no room shows it all the same.
  await kept()
    .put('me', me.value)
    .catch(() => undefined);
  const found = required();
  if (found.member_no !== now.member_no) {
    card.value = { ...found, member_no: now.member_no };
    await kept().put('card', card.value);
    rememberNumber(now.member_no);
  }
}

/** Holds at once, also if it cannot be written down. */
export async function chooseLimit(next: SpendLimit): Promise<void> {
  limit.value = next;
  await kept()
    .put('limit', next)
    .then(
      () => {
        limit_kept.value = true;
      },
      () => {
        limit_kept.value = false;
      },
    );
}

/** A page of the history. It alone tells what stores are called, so that is kept for whatever names a store by its id. */
export async function history(query: { before?: string; limit?: string } = {}): Promise<History> {
  const asked = new URLSearchParams(query).toString();
  const page = await ask<History>(`/v1/me/history${asked && `?${asked}`}`);
  const named = page.entries.flatMap(({ store, store_name }) => (store && store_name ? [[store, store_name]] : []));
  if (named.some(([store, name]) => store && stores.value[store] !== name)) {
    stores.value = { ...stores.value, ...Object.fromEntries(named) };
    // What cannot be kept is asked for again next time.
    await kept()
      .put('stores', { ...stores.value })
      .catch(() => undefined);
  }
  return page;
}

/** What people call a store; its id as long as that is not known. */
export function storeName(id: string): string {
  return stores.value[id] ?? id;
}
