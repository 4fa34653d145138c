// From the tender to the receipt. The receipt is written down before the sale is asked for, so that one is there whatever happens next.

import type { Register } from './register.ts';
import { totals } from './sale/basket.ts';
import { due, receiptOf, type SaleRecord, type Tender } from './sale/draft.ts';
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
  const record = await recordOf(register, tender, received);
  if (!record) return false;
  return register.ask('purchase', () => sell(register, record));
}

/** Writes receipt and basket down in one transaction. */
async function recordOf(register: Register, tender: Tender, received: number): Promise<SaleRecord | undefined> {
  const draft = register.draft.value;
  const businessDate = register.today();
  const last = (await register.storage.get<string>(STATE, 'receipt-number')) ?? '';
  const number = nextNumber(last, businessDate);
  const record: SaleRecord = {
    number,
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
  const completing = { ...draft, completing: number };
  try {
    await register.storage.write([
      { store: RECEIPTS, key: number, value: record },
      { store: STATE, key: 'receipt-number', value: number },
      { store: STATE, key: 'draft', value: completing },
    ]);
  } catch {
    register.say('bad', () => words().message.notSaved);
    return undefined;
  }
  register.draft.value = completing;
  return record;
}

/** `YYMMDD-NNNN`: counts up within a business day. */
export function nextNumber(last: string, businessDate: string): string {
  const day = businessDate.replaceAll('-', '').slice(2);
  const count = last.startsWith(`${day}-`) ? Number(last.slice(day.length + 1)) + 1 : 1;
  return `${day}-${String(count).padStart(4, '0')}`;
}

async function sell(register: Register, record: SaleRecord): Promise<boolean> {
  const { scan, hold, basketId } = register.draft.value;
  if (!scan) {
    await register.showReceipt(record);
    await register.begin();
    return true;
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
    await told(register, requestId);
    return false;
  }
  const ended = withVerdict({ ...record, ...(requestId === undefined ? {} : { requestId }) }, verdict);
  await register.keepRecord(ended);
  await register.showReceipt(ended);
  await register.begin();
  await told(register, requestId);
  return true;
}

/** The screen has shown how this ended, so the next start need not. */
export async function told(register: Register, requestId: string | undefined): Promise<void> {
  if (requestId !== undefined) await register.keeper.told(register.keeper.machine.book.first(requestId));
}

/** The sale did not come about with this card or hold: the basket is open again, without what was refused. */
async function refused(register: Register, record: SaleRecord, verdict: Verdict): Promise<void> {
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
  else if (!open.hold) register.detach();
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

/** Brings a receipt to what the journal knows of its sale by now. */
export async function settleRecord(register: Register, record: SaleRecord): Promise<void> {
  const { book } = register.keeper.machine;
  const known = book
    .requests()
    .findLast(({ request }) => request.operation === 'purchase' && request.basket_id === record.basketId);
  if (!known) return;
  const ended = withVerdict({ ...record, requestId: known.request.request_id }, verdictOf(known, book));
  await register.keepRecord(ended);
}
