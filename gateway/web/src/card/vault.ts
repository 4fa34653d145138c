// What the page keeps on the phone, and how tabs of one browser agree on it: what one writes it tells the others, and
// what must not happen twice at once is done under a lock that all tabs share.

import { Storage } from '../kit/storage.ts';
import type { SpendLimit } from './card-text.ts';
import type { KeptClock } from './clock.ts';
import type { Me } from './gateway.ts';
import type { Notice } from './happenings.ts';
import type { CardKey } from './keys.ts';

/** The card. Without `member_no` the key is made and nobody knows yet whether the gateway heard of it. */
export interface KeptCard extends CardKey {
  programme: string;
  programme_name: string;
  member_no?: string;
}

export interface Kept {
  card: KeptCard;
  clock: KeptClock;
  /** Of the newest card text: two texts of one second would be one to a till. */
  issued_at: number;
  limit: SpendLimit;
  /** What the gateway last said, to show without a network. */
  me: { me: Me; at: string };
  /** Where the stream of events goes on. */
  position: string;
  notices: Notice[];
  /** What stores are called, by their ids. */
  stores: Record<string, string>;
  /** The newest notice that was looked at. */
  seen: string;
}

const STORE = 'kept';
const HINT = 'card-was-here';

export class Vault {
  private readonly channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('card');

  private constructor(private readonly storage: Storage) {}

  /** Throws `StorageUnavailable`. `lost` is called if the browser takes the storage away while the page is open. */
  static async open(lost: () => void): Promise<Vault> {
    return new Vault(await Storage.open('member-card', 1, [STORE], lost));
  }

  get<K extends keyof Kept>(key: K): Promise<Kept[K] | undefined> {
    return this.storage.get<Kept[K]>(STORE, key);
  }

  async put<K extends keyof Kept>(key: K, value: Kept[K]): Promise<void> {
    await this.storage.put(STORE, key, value);
    this.channel?.postMessage(key);
  }

  /** Forgets everything, the key as well. */
  async clear(): Promise<void> {
    const rows = await this.storage.all(STORE);
    await this.storage.write(rows.map(([key]) => ({ store: STORE, remove: key })));
    this.channel?.postMessage('card');
  }

  /** Calls back with the name of what another tab changed. */
  onChange(changed: (key: keyof Kept) => void): void {
    this.channel?.addEventListener('message', (event) => changed(event.data as keyof Kept));
  }
}

/** Runs alone among all tabs of this browser. */
export function alone<T>(name: string, run: () => Promise<T>): Promise<T> {
  return navigator.locks ? navigator.locks.request(`card-${name}`, run).then((value) => value as T) : run();
}

/** A trace of the member's number outside the database, so that a page that lost its key can say whose card is gone. */
export function rememberNumber(member_no: string | undefined): void {
  try {
    if (member_no) localStorage.setItem(HINT, member_no.slice(-4));
    else localStorage.removeItem(HINT);
  } catch {
    // Then nothing can be said about it.
  }
}

export function rememberedNumber(): string | undefined {
  try {
    return localStorage.getItem(HINT) ?? undefined;
  } catch {
    return undefined;
  }
}
