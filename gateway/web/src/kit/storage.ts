// What a page keeps on this machine: keyed rows in IndexedDB, each store of its own name. A write is resolved when it
// is on the disk (`durability: strict`), because a till may send only what is written.

import { type IDBPDatabase, openDB } from 'idb';

/** The browser keeps nothing here: private mode, no room, or switched off. */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable';
}

/** One change of a transaction. Where a row that has to be new is there already, all fails with a `ConstraintError`. */
export type Write = { store: string; key: string; value: unknown; isNew?: boolean } | { store: string; remove: string };

export class Storage {
  private constructor(private readonly database: IDBPDatabase) {}

  /**
   * Opens the database `name` with these stores. A store that misses in an older version is added; none is ever taken
   * away. Raise `version` when stores are added.
   */
  static async open(name: string, version: number, stores: readonly string[], lost?: () => void): Promise<Storage> {
    if (typeof indexedDB === 'undefined') throw new StorageUnavailable('there is no IndexedDB');
    try {
      const database = await openDB(name, version, {
        upgrade(opened) {
          for (const store of stores) if (!opened.objectStoreNames.contains(store)) opened.createObjectStore(store);
        },
        // A newer version of the page waits in another tab: let go, or it never opens.
        blocking: (_current, _next, event) => (event.target as IDBDatabase).close(),
        ...(lost && { terminated: lost }),
      });
      return new Storage(database);
    } catch (error) {
      throw new StorageUnavailable('IndexedDB cannot be opened', { cause: error });
    }
  }

  get<T>(store: string, key: string): Promise<T | undefined> {
    return this.database.get(store, key) as Promise<T | undefined>;
  }

  /** Every row, in the order of its keys. */
  async all<T>(store: string): Promise<[key: string, value: T][]> {
    const transaction = this.database.transaction(store);
    const [keys, values] = await Promise.all([transaction.store.getAllKeys(), transaction.store.getAll()]);
    return keys.map((key, index) => [String(key), values[index] as T]);
  }

  put(store: string, key: string, value: unknown): Promise<void> {
    return this.write([{ store, key, value }]);
  }

  remove(store: string, key: string): Promise<void> {
    return this.write([{ store, remove: key }]);
  }

  /** All of these or none. */
  async write(writes: readonly Write[]): Promise<void> {
    const stores = [...new Set(writes.map((write) => write.store))];
    const transaction = this.database.transaction(stores, 'readwrite', { durability: 'strict' });
    const done = writes.map((write) => {
      const store = transaction.objectStore(write.store);
      if ('remove' in write) return store.delete(write.remove);
      return write.isNew ? store.add(write.value, write.key) : store.put(write.value, write.key);
    });
    await Promise.all([...done, transaction.done]);
  }

  close(): void {
    this.database.close();
  }
}
