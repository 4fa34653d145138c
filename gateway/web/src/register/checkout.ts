// From the tender to the receipt. The receipt is written down before the sale is asked for, so that one is there whatever happens next.

import type { Register } from './register.ts';
import { totals } from './sale/basket.ts';
import { type Draft, due, receiptOf, type SaleRecord, type Tender } from './sale/draft.ts';
import { RECEIPTS, STATE } from './till/journal.ts';
import { timestamp } from './till/settings.ts';
import type { Purchase } from './till/totals.ts';
import { verdictOf } from './till/untold.ts';
import type { Verdict } from './till/verdict.ts';
import { words } from './words.ts';

/** Completes the sale. `received` is what was handed over in cash. True if the sale stands. */
export async function complete(register: Register, tender: Tender, received: number): Promise<boolean> {
  const draft = register.draft.value;
  if (register.asking.value || draft.completing !== undefined) {
    register.say('warn', () => words().message.wait);
    return false;
  }
  if (draft.basket.lines.length === 0) {
    register.say('warn', () => words().message.emptyBasket);
    return false;
  }
  if (due(draft) < 0) {
    register.say('warn', () => words().message.holdAboveTotal);
    return false;
  }
  if (draft.hold && !draft.scan) {
    // Without its scan the hold would be a discount that nobody captures.
    register.say('warn', () => words().member.releaseFirst);
    return false;
  }
  // Waited for from here on, before anything is awaited: a second key finds it so.
  const { stands, requestId } = await register.ask('purchase', async (): Promise<SaleEnd> => {
    const record = await recordOf(register, tender, received);
    return record ? sell(register, record) : { stands: false };
  });
  await told(register, requestId);
  return stands;
}

/** How a sale ended: `requestId` is to be marked as told. */
interface SaleEnd {
  stands: boolean;
  requestId?: string | undefined;
}

/** The receipt, written down together with its basket. Nothing if that cannot be. */
async function recordOf(register: Register, tender: Tender, received: number): Promise<SaleRecord | undefined> {
  const draft = register.draft.value;
  const businessDate = register.today();
  const blank: Omit<SaleRecord, 'number'> = {
    basketId: draft.basketId,
    businessDate,
    occurredAt: timestamp(Date.now()),
    lines: [...draft.basket.lines],
    totals: totals(draft.basket.lines),
    tender,
    received,
    change: tender === 'cash' ? received - due(draft) : 0,
    pointsUsed: draft.hold?.points ?? 0,
    ...(draft.member ? { member: draft.member } : {}),
    points: draft.scan ? 'asking' : 'none',
    returned: {},
    paidBack: [],
  };
  try {
    const record = await numbered(register, blank, draft);
    register.draft.value = { ...draft, completing: record.number };
    return record;
  } catch {
    register.say('bad', () => words().message.notSaved);
    return undefined;
  }
}

/**
 * Writes the receipt down under the next free number of its day, and the basket that becomes it. Each day counts by itself: a clock that
 * goes back and forth finds its place again. A number that is taken all the same is never written over.
 */
async function numbered(register: Register, blank: Omit<SaleRecord, 'number'>, draft: Draft): Promise<SaleRecord> {
  const { storage } = register;
  const counter = `receipt-number:${dayOfNumber(blank.businessDate)}`;
  // Older registers had one counter for all days.
  const last =
    (await storage.get<string>(STATE, counter)) ?? (await storage.get<string>(STATE, 'receipt-number')) ?? '';
  for (let number = nextNumber(last, blank.businessDate); ; number = nextNumber(number, blank.businessDate)) {
    const record = { ...blank, number };
    try {
      await storage.write([
        { store: RECEIPTS, key: number, value: record, isNew: true },
        { store: STATE, key: counter, value: number },
        { store: STATE, key: 'draft', value: { ...draft, completing: number } },
      ]);
      return record;
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'ConstraintError')) throw error;
    }
  }
}

const dayOfNumber = (businessDate: string): string => businessDate.replaceAll('-', '').slice(2);

/** `YYMMDD-NNNN`: counts up within a business day. */
export function nextNumber(last: string, businessDate: string): string {
  const day = dayOfNumber(businessDate);
  const count = last.startsWith(`${day}-`) ? Number(last.slice(day.length + 1)) + 1 : 1;
  return `${day}-${String(count).padStart(4, '0')}`;
}

async function sell(register: Register, record: SaleRecord): Promise<SaleEnd> {
  const { scan, hold, basketId } = register.draft.value;
  if (!scan) {
    showAndBegin(register, record);
    return { stands: true };
  }
  const { verdict, requestId } = await register.keeper.ask({
    ask: 'purchase',
    basketId,
    scan,
    authorizationId: hold?.id,
    receipt: receiptOf(record),
  });
  const stands = verdict.verdict === 'approved' || verdict.verdict === 'queued';
  if (!stands) {
    await refused(register, record, verdict);
    return { stands: false, requestId };
  }
  const ended = withVerdict({ ...record, ...(requestId === undefined ? {} : { requestId }) }, verdict);
  await register.keepRecord(ended);
  showAndBegin(register, ended);
  return { stands: true, requestId };
}

/** The receipt on the screen, and at once a basket for the next shopper, unless there is one. */
function showAndBegin(register: Register, record: SaleRecord): void {
  register.showReceipt(record);
  if (register.draft.value.basketId === record.basketId) void register.begin();
}

/** The screen has shown how this ended, so the next start need not. */
export async function told(register: Register, requestId: string | undefined): Promise<void> {
  if (requestId !== undefined) await register.keeper.told(register.keeper.machine.book.first(requestId));
}

/** The sale did not come about with this card or hold: the basket is open again, without what was refused. */
async function refused(register: Register, record: SaleRecord, verdict: Verdict): Promise<void> {
  if (verdict.verdict === 'refused' && verdict.refusal.is === 'basket_completed') {
    // The basket has its sale: the receipt stays, as the journal knows it.
    await settleRecord(register, record);
    if (register.draft.value.basketId === record.basketId) await register.begin();
    register.sayVerdict(verdict, 'purchase');
    return;
  }
  if (register.draft.value.basketId !== record.basketId) {
    await settleRecord(register, record);
    return;
  }
  const { completing: _, ...open } = register.draft.value;
  register.draft.value = open;
  await register.storage.remove(RECEIPTS, record.number).catch(() => undefined);
  const reason = verdict.verdict === 'declined' ? verdict.decline.reason : '';
  const ofHold = [
    'hold_expired',
    'already_voided',
    'already_captured',
    'unknown_authorization',
    'reversed',
    'above_hold',
  ];
  if (open.hold && ofHold.includes(reason)) register.dropHold();
  else if (!open.hold) register.dropMember();
  await register.save();
  register.sayVerdict(verdict, 'purchase');
}

function withVerdict(record: SaleRecord, verdict: Verdict): SaleRecord {
  switch (verdict.verdict) {
    case 'approved': {
      const purchase = verdict.answer['purchase'] as Purchase;
      const balance = (verdict.answer['points'] as { available?: number } | undefined)?.available;
      return { ...record, points: 'approved', purchase, ...(balance === undefined ? {} : { balance }) };
    }
    case 'declined':
      return { ...record, points: 'declined', reason: verdict.decline.reason };
    case 'refused':
      return { ...record, points: 'declined', reason: 'defect' };
    case 'not_asked':
      return { ...record, points: 'undone' };
    case 'queued':
      return { ...record, points: 'queued' };
  }
}

/** What the journal knows of a receipt's sale by now. */
export function saleOf(register: Register, record: SaleRecord): { requestId: string; verdict: Verdict } | undefined {
  const { book } = register.keeper.machine;
  const known = book
    .requests()
    .findLast(({ request }) => request.operation === 'purchase' && request.basket_id === record.basketId);
  return known && { requestId: known.request.request_id, verdict: verdictOf(known, book) };
}

/** Brings a receipt to what the journal knows of its sale by now. */
export async function settleRecord(register: Register, record: SaleRecord): Promise<void> {
  const sale = saleOf(register, record);
  if (sale) await register.keepRecord(withVerdict({ ...record, requestId: sale.requestId }, sale.verdict));
}
