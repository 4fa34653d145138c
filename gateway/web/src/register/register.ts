// The register's state and what a cashier does with it. Rules of points are the gateway's, rules of the protocol the machine's; here is the
// order of a sale.
//
// Invariant: what is on the screen is on this machine's disk as well (`save`), so a page that is loaded again goes on where it was.

import { batch, signal } from '@preact/signals';
import { announce } from '../kit/announce.tsx';
import { yen } from '../kit/format.ts';
import type { Storage } from '../kit/storage.ts';
import { type Given, givenFor, receiptOfRequest, wantsAttention } from './attention.ts';
import { saleOf, settleRecord } from './checkout.ts';
import { DEMO_ARTICLES } from './sale/articles.ts';
import { type Article, add, addFree, type Basket, isPrice, type TaxRate, totals } from './sale/basket.ts';
import { type Draft, freshDraft, type Hold, type Member, type SaleRecord } from './sale/draft.ts';
import { classify, type PlasticRange } from './scan/codes.ts';
import { RECEIPTS, STATE } from './till/journal.ts';
import type { Keeper } from './till/keeper.ts';
import type { Operation } from './till/message.ts';
import { businessDay, SETTINGS, timestamp } from './till/settings.ts';
import type { Notice } from './till/step.ts';
import type { Untold } from './till/untold.ts';
import type { Verdict } from './till/verdict.ts';
import { verdictWords } from './verdict-words.ts';
import { words } from './words.ts';

/** What fills the page beside the sale. */
export type Screen =
  | { is: 'sale' }
  | { is: 'receipt'; number: string }
  | { is: 'points' | 'pay' | 'refund' | 'settle' | 'connection' | 'articles' | 'camera' | 'setup' };

/** A line for the cashier; a function, so that it follows the language. */
export interface Message {
  tone: 'good' | 'info' | 'warn' | 'bad';
  text: () => string;
}

/** Something that a person has to look at: it was told to count, and came out otherwise. */
export interface Attention {
  id: string;
  at: string;
  operation: Operation;
  receipt: string;
  verdict: Verdict;
  /** Money given back, where the gateway's number is another. */
  given?: Given;
}

export interface Shop {
  name: string;
  invoiceNumber: string;
  plastic: PlasticRange[];
}

export class Register {
  readonly draft = signal<Draft>(freshDraft(''));
  readonly screen = signal<Screen>({ is: 'sale' });
  readonly message = signal<Message | undefined>(undefined);
  /** What is waited for; nothing else may begin that needs its end. */
  readonly asking = signal<Operation | undefined>(undefined);
  readonly articles = signal<readonly Article[]>(DEMO_ARTICLES);
  readonly shop = signal<Shop>({ name: '', invoiceNumber: '', plastic: [] });
  readonly attention = signal<readonly Attention[]>([]);
  readonly untold = signal<readonly Untold[]>([]);
  /** The receipt on the screen. */
  readonly record = signal<SaleRecord | undefined>(undefined);
  readonly journalFault = signal(false);
  /** Whether the browser promised not to throw the journal away when room is short. */
  readonly isPersistent = signal(true);

  private constructor(
    readonly storage: Storage,
    readonly keeper: Keeper,
    readonly clientId: string,
  ) {}

  static async open(storage: Storage, keeper: Keeper, clientId: string): Promise<Register> {
    const register = new Register(storage, keeper, clientId);
    const [draft, articles, shop, attention] = await Promise.all([
      storage.get<Draft>(STATE, 'draft'),
      storage.get<Article[]>(STATE, 'articles'),
      storage.get<Shop>(STATE, 'shop'),
      storage.get<Attention[]>(STATE, 'attention'),
    ]);
    if (articles) register.articles.value = articles;
    if (shop) register.shop.value = shop;
    if (attention) register.attention.value = attention;
    await register.#takeUp(draft);
    return register;
  }

  /** What the last run left: its basket, its sales whose end was not shown, its holds. */
  async #takeUp(draft: Draft | undefined): Promise<void> {
    for (const [, record] of await this.storage.all<SaleRecord>(RECEIPTS)) {
      if (record.points === 'asking' || record.points === 'queued') await this.#takeUpRecord(record);
    }
    this.draft.value = draft ?? freshDraft(this.keeper.newBasket());
    this.untold.value = this.keeper.untold.filter((left) => left.basketId !== draft?.basketId);
    const isHeld = draft?.hold?.id;
    for (const { basketId, authorizationId } of this.keeper.holdsLeft) {
      if (authorizationId !== isHeld) void this.keeper.ask({ ask: 'void', basketId, authorizationId });
    }
    if (!draft) return;
    if (draft.completing !== undefined) await this.#takeUpCompleting(draft, draft.completing);
    // Nobody waits for that inquiry any more: it is asked again.
    else if (draft.scan && draft.card === 'asking') void this.inquire(draft.scan.text);
  }

  /** A sale that was told to count may have come out otherwise just before the end of the last run. */
  async #takeUpRecord(record: SaleRecord): Promise<void> {
    const late = record.points === 'queued' ? saleOf(this, record) : undefined;
    if (late && late.verdict.verdict === 'declined')
      await this.#attend({ ...late, operation: 'purchase' }, record.number);
    await settleRecord(this, record);
  }

  async #takeUpCompleting(draft: Draft, number: string): Promise<void> {
    const record = await this.storage.get<SaleRecord>(RECEIPTS, number);
    const { completing: _, ...open } = draft;
    if (!record || (record.points !== 'none' && !this.keeper.machine.book.hasSale(draft.basketId))) {
      // The sale never reached the journal, so nothing was sent: the basket is still open.
      if (record) await this.storage.remove(RECEIPTS, number);
      this.draft.value = open;
      await this.save();
      return;
    }
    this.showReceipt(record);
    await this.begin();
    const left = this.keeper.untold.find((each) => each.basketId === draft.basketId);
    if (left) await this.keeper.told(left.requestId);
  }

  // ---- What is scanned and typed --------------------------------------------------------------------------------------------------

  /** A code came from a scanner, the camera or the keyboard. True if it was taken. */
  scanned(raw: string): boolean {
    const bySku = new Map(this.articles.value.map((article) => [article.sku, article]));
    const code = classify(raw, this.shop.value.plastic, (sku) => bySku.has(sku));
    // A scan after a receipt is the next shopper's.
    if (this.screen.value.is === 'receipt') this.goTo({ is: 'sale' });
    if (this.screen.value.is === 'camera') this.goTo({ is: 'sale' });
    switch (code.kind) {
      case 'member': {
        if (this.#mustWait()) return false;
        void this.inquire(code.text);
        return true;
      }
      case 'product': {
        const article = bySku.get(code.text);
        if (article) return this.addArticle(article);
        this.say('warn', () => words().message.unknownArticle(code.text));
        return false;
      }
      case 'other': {
        const shown = code.text.slice(0, 24);
        const [check, unknown] = [words().message.checkDigit, words().message.unknownCode];
        this.say('warn', () => (code.why === 'check_digit' ? check(shown) : unknown(shown)));
        return false;
      }
    }
  }

  /** What was typed into the entry and ended with a key: an amount up to seven digits, else a code. True if it was taken. */
  typed(text: string, taxRate: TaxRate, name: string): boolean {
    const plain = text.normalize('NFKC').trim();
    const isCode = !/^\d{1,7}$/.test(plain) || this.articles.value.some((article) => article.sku === plain);
    if (isCode) return plain !== '' && this.scanned(plain);
    if (!isPrice(Number(plain))) {
      this.say('warn', () => words().message.amount);
      return false;
    }
    const label = name.trim() === '' ? words().entry.free : name;
    if (!this.#added(addFree(this.draft.value.basket, label, Number(plain), taxRate))) return false;
    this.message.value = undefined;
    return true;
  }

  /** True if there is one piece more of it in the basket. */
  addArticle(article: Article): boolean {
    if (!this.#added(add(this.draft.value.basket, article))) return false;
    this.say('info', () => words().message.added(article.name, yen(article.price)));
    return true;
  }

  #added(basket: Basket): boolean {
    if (basket !== this.draft.value.basket) return this.change(basket);
    this.say('warn', () => words().message.full);
    return false;
  }

  /** True if the basket is this one now. While its sale is under way it stays as it is. */
  change(basket: Basket): boolean {
    if (this.isSelling) {
      this.say('warn', () => words().message.wait);
      return false;
    }
    this.update({ basket });
    return true;
  }

  /** Whether the basket is on its way to be a receipt. */
  get isSelling(): boolean {
    return this.asking.value === 'purchase' || this.draft.value.completing !== undefined;
  }

  /** Whether something is waited for that the member and the whole basket must outlast; says so. */
  #mustWait(): boolean {
    const waits = this.asking.value !== undefined || this.isSelling;
    if (waits) this.say('warn', () => words().message.wait);
    return waits;
  }

  // ---- The member -----------------------------------------------------------------------------------------------------------------

  /** Asks whose card this is. The same text twice in one basket is one use. */
  async inquire(text: string): Promise<void> {
    const { scan, card, hold, basketId, completing } = this.draft.value;
    if (completing !== undefined) return;
    if (scan?.text === text && card !== 'unconfirmed') {
      this.say('info', () => words().member.same);
      return;
    }
    if (hold) {
      this.say('warn', () => words().member.releaseFirst);
      return;
    }
    const fresh = { text, at: scan?.text === text ? scan.at : timestamp(Date.now()) };
    const { member: _, ...rest } = this.draft.value;
    this.draft.value = { ...rest, scan: fresh, card: 'asking' };
    void this.save();
    const { verdict } = await this.keeper.ask({ ask: 'inquiry', basketId, scan: fresh });
    const now = this.draft.value;
    // Meanwhile another card was scanned, or the sale is over.
    if (now.basketId !== basketId || now.scan?.text !== text || now.completing !== undefined) return;
    switch (verdict.verdict) {
      case 'approved':
        this.update({ card: 'confirmed', member: memberOf(verdict.answer) });
        this.message.value = undefined;
        announce(`${now.member?.name ?? memberOf(verdict.answer).name}`);
        return;
      case 'not_asked':
      case 'queued':
        this.update({ card: 'unconfirmed' });
        this.sayVerdict(verdict, 'inquiry');
        return;
      default:
        this.dropMember();
        this.sayVerdict(verdict, 'inquiry');
    }
  }

  /** Takes the member off the sale, as the cashier asks for. Not while a hold of theirs may be under way. */
  detach(): void {
    if (!this.#mustWait()) this.dropMember();
  }

  dropMember(): void {
    const { scan: _, card: __, member: ___, ...rest } = this.draft.value;
    if (rest.hold) return;
    this.draft.value = rest;
    void this.save();
  }

  /** Has the gateway hold points for this basket. True if it does. */
  async hold(points: number): Promise<boolean> {
    const { scan, basketId } = this.draft.value;
    if (!scan || this.asking.value) return false;
    const { verdict } = await this.ask('authorization', () =>
      this.keeper.ask({ ask: 'authorization', basketId, scan, points }),
    );
    const now = this.draft.value;
    if (now.basketId !== basketId || now.scan?.text !== scan.text || now.completing !== undefined) {
      // The basket, or the member it was for, is gone: nobody would ever capture this hold.
      if (verdict.verdict === 'approved') {
        void this.keeper.ask({ ask: 'void', basketId, authorizationId: holdOf(verdict.answer).id });
      }
      return false;
    }
    if (verdict.verdict === 'approved') {
      this.update({ hold: holdOf(verdict.answer) });
      this.message.value = undefined;
      return true;
    }
    this.sayVerdict(verdict, 'authorization');
    return false;
  }

  /** Lets the hold go. A void that nobody answered counts: it is repeated. */
  async release(): Promise<void> {
    const { hold, basketId } = this.draft.value;
    if (!hold || this.asking.value) return;
    const { verdict } = await this.ask('void', () =>
      this.keeper.ask({ ask: 'void', basketId, authorizationId: hold.id }),
    );
    const isGone = verdict.verdict !== 'refused' && this.draft.value.hold?.id === hold.id;
    if (isGone) this.dropHold();
    if (verdict.verdict === 'queued' || verdict.verdict === 'refused') this.sayVerdict(verdict, 'void');
    else this.message.value = undefined;
  }

  dropHold(): void {
    const { hold: _, ...rest } = this.draft.value;
    this.draft.value = rest;
    void this.save();
  }

  /** Drops the whole basket. A hold goes back first. */
  async drop(): Promise<void> {
    if (this.#mustWait()) return;
    const { basketId } = this.draft.value;
    await this.release();
    const now = this.draft.value;
    if (now.basketId !== basketId || now.hold || this.isSelling) return;
    await this.begin();
    this.message.value = undefined;
  }

  // ---- Around a sale --------------------------------------------------------------------------------------------------------------

  /** The points that the shopper may use in this basket, as far as the gateway said. */
  get usable(): number {
    return Math.min(this.draft.value.member?.spendable ?? 0, totals(this.draft.value.basket.lines).total);
  }

  /** A new basket. */
  async begin(): Promise<void> {
    this.draft.value = freshDraft(this.keeper.newBasket());
    await this.save();
  }

  showReceipt(record: SaleRecord): void {
    batch(() => {
      this.record.value = record;
      this.goTo({ is: 'receipt', number: record.number });
    });
  }

  goTo(screen: Screen): void {
    batch(() => {
      this.screen.value = screen;
      this.message.value = undefined;
    });
  }

  /** Marks `operation` as waited for while `work` runs. */
  async ask<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
    this.asking.value = operation;
    try {
      return await work();
    } finally {
      this.asking.value = undefined;
    }
  }

  update(change: Partial<Draft>): void {
    this.draft.value = { ...this.draft.value, ...change };
    void this.save();
  }

  /** Writes the basket down. True if it is on the disk. */
  async save(): Promise<boolean> {
    return this.keep(STATE, 'draft', this.draft.value);
  }

  async keep(store: string, key: string, value: unknown): Promise<boolean> {
    try {
      await this.storage.put(store, key, value);
      return true;
    } catch {
      this.say('bad', () => words().message.notSaved);
      return false;
    }
  }

  async keepRecord(record: SaleRecord): Promise<boolean> {
    if (this.record.value?.number === record.number) this.record.value = record;
    return this.keep(RECEIPTS, record.number, record);
  }

  today(): string {
    return businessDay(Date.now(), SETTINGS);
  }

  say(tone: Message['tone'], text: () => string): void {
    this.message.value = { tone, text };
    announce(text());
  }

  sayVerdict(verdict: Verdict, operation: Operation): void {
    const tone = verdict.verdict === 'approved' ? 'good' : verdict.verdict === 'queued' ? 'warn' : 'bad';
    this.say(tone, () => verdictWords(verdict, operation));
  }

  // ---- News that nobody waited for ------------------------------------------------------------------------------------------------

  notice(notice: Notice): void {
    if (notice.notice === 'journal_unwritable') this.journalFault.value = true;
    if (notice.notice === 'journal_writable') this.journalFault.value = false;
    if (notice.notice === 'settled') void this.#settled(notice);
  }

  async #settled({ first, operation, verdict, requestId }: Extract<Notice, { notice: 'settled' }>): Promise<void> {
    const record = await receiptOfRequest(this, first);
    // First what a person has to see: a crash in between must not lose it.
    const given = record && givenFor(this.keeper.machine.book, record, first, verdict);
    if (wantsAttention(operation, verdict, given)) {
      await this.#attend({ requestId, operation, verdict, ...(given ? { given } : {}) }, record?.number ?? '');
    }
    if (operation === 'purchase' && record) await settleRecord(this, record);
  }

  async #attend(
    late: Omit<Attention, 'id' | 'at' | 'receipt'> & { requestId: string },
    receipt: string,
  ): Promise<void> {
    const { requestId, ...rest } = late;
    if (this.attention.value.some(({ id }) => id === requestId)) return;
    const entry = { id: requestId, at: timestamp(Date.now()), receipt, ...rest };
    this.attention.value = [...this.attention.value, entry];
    await this.keep(STATE, 'attention', this.attention.value);
  }

  async dismiss(id: string): Promise<void> {
    this.attention.value = this.attention.value.filter((entry) => entry.id !== id);
    await this.keep(STATE, 'attention', this.attention.value);
  }

  async dismissUntold(): Promise<void> {
    for (const left of this.untold.value) await this.keeper.told(left.requestId);
    this.untold.value = [];
  }
}

function memberOf(answer: Record<string, unknown>): Member {
  const member = answer['member'] as { display_name: string; member_no_masked: string; rank: string };
  const points = answer['points'] as { available: number; spendable?: number } | undefined;
  return {
    name: member.display_name,
    numberMasked: member.member_no_masked,
    rank: member.rank,
    available: points?.available ?? 0,
    spendable: points?.spendable ?? 0,
  };
}

function holdOf(answer: Record<string, unknown>): Hold {
  const hold = answer['authorization'] as { id: string; points: number; approval_code: string; expires_at: string };
  return { id: hold.id, points: hold.points, approvalCode: hold.approval_code, expiresAt: hold.expires_at };
}
