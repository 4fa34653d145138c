// The journal in IndexedDB: the entries of `message.ts`, oldest first, each on the disk before anything follows from it.
//
// One database for one register on this machine. Beside the journal it keeps the account, the basket in progress, the receipts and the
// shop's articles, so that one transaction can hold what belongs together.
//
// Invariants:
// - `append` resolves only after the transaction was flushed (`durability: strict`); if it throws, nothing of it is there.
// - Keys count up and are never given twice, so their order is the order of writing.
// - Who opens it holds the register's lock (`lock.ts`): two tabs never write one journal.

import { Storage, type Write } from '../../kit/storage.ts';
import { approvalOf, Book, type Known } from './book.ts';
import { type Entry, isAfterwards, type Request } from './message.ts';
import type { Settings } from './settings.ts';

const DATABASE = 'register';
const VERSION = 1;
const JOURNAL = 'journal';
/** Account, basket in progress, settings, articles: one row each. */
export const STATE = 'state';
/** One row a receipt, by its number. */
export const RECEIPTS = 'receipts';
/** The journal is made smaller when it has more entries than this and nothing is unsettled. */
const COMPACT_ENTRIES = 2_000;

export class Journal {
  #next: number;

  private constructor(
    readonly storage: Storage,
    readonly entries: readonly Entry[],
    next: number,
  ) {
    this.#next = next;
  }

  /** Opens the register's database. Throws `StorageUnavailable` where the browser keeps nothing. */
  static async open(lost: () => void): Promise<Journal> {
    const storage = await Storage.open(DATABASE, VERSION, [JOURNAL, STATE, RECEIPTS], lost);
    const rows = await storage.all<Entry>(JOURNAL);
    const last = rows.at(-1)?.[0];
    const entries = rows.map(([, entry]) => entry);
    return new Journal(storage, entries, last === undefined ? 0 : Number(last) + 1);
  }

  /** Makes entries durable, all or none. */
  async append(entries: readonly Entry[]): Promise<void> {
    await this.storage.write(entries.map((value): Write => ({ store: JOURNAL, key: this.#key(), value })));
  }

  /** Replaces the journal by a smaller one that says the same, if it is large and nothing is unsettled. Before anything is sent. */
  async compact(book: Book, settings: Settings, now: number): Promise<Book> {
    if (book.unsettled > 0 || this.entries.length < COMPACT_ENTRIES) return book;
    const entries = compacted(book, now - settings.keep);
    const rows = await this.storage.all<Entry>(JOURNAL);
    const removals = rows.map(([key]): Write => ({ store: JOURNAL, remove: key }));
    const writes = entries.map((value): Write => ({ store: JOURNAL, key: this.#key(), value }));
    await this.storage.write([...removals, ...writes]);
    return Book.of(entries);
  }

  #key(): string {
    const key = String(this.#next).padStart(12, '0');
    this.#next += 1;
    return key;
  }
}

/** The entries of a smaller journal: sales, refunds and what undid them since `since`, and open holds, without their card texts. */
export function compacted(book: Book, since: number): Entry[] {
  const opened: Entry[] = book.opened ? [{ entry: 'opened', ...book.opened }] : [];
  const holds = new Set(book.openHolds().map((hold) => hold.authorizationId));
  const requests = book.requests();
  const order = new Map(requests.map((known, place) => [known.request.request_id, place]));
  const stays = (known: Known): boolean => {
    // Somebody may know a request by the id it had before, and undo it by that. Without what took its place it would be open again.
    if (known.state.is === 'replaced') {
      const { by } = known.state;
      const next = book.find(by);
      const isLater = (order.get(by) ?? -1) > (order.get(known.request.request_id) ?? 0);
      return next !== undefined && isLater && stays(next);
    }
    if (Date.parse(known.answeredAt ?? known.request.at) < since) return false;
    const { operation } = known.request;
    const approval = approvalOf(known);
    if (operation === 'authorization')
      return holds.has(String((approval?.['authorization'] as { id?: string } | undefined)?.id));
    return approval !== undefined && ['purchase', 'refund', 'reversal'].includes(operation);
  };
  const kept = requests.filter(stays);
  return [...opened, ...kept.flatMap(entriesOf)];
}

/** The entries that make this, in order. A reversal or replacement is made by its own request. */
function entriesOf(known: Known): Entry[] {
  const { request, answer, answeredAt } = known;
  const { request_id, at } = request;
  const entries: Entry[] = [{ entry: 'request', ...withoutCard(request) }];
  if (known.kept && !isAfterwards(request)) entries.push({ entry: 'kept', request_id, at });
  if (answer && answeredAt !== undefined) entries.push({ entry: 'answer', request_id, at: answeredAt, answer });
  if (known.told) entries.push({ entry: 'told', request_id, at });
  return entries;
}

function withoutCard(request: Request): Request {
  const { card: _, ...body } = request.body;
  return { ...request, body };
}
