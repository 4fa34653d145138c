// Opens the register: its lock, its journal, its account, and what the last run left. A till that cannot keep its journal does not open.

import { signal } from '@preact/signals';
import { StorageUnavailable } from '../kit/storage.ts';
import { Register } from './register.ts';
import { Journal, STATE } from './till/journal.ts';
import { ForeignJournal, Keeper } from './till/keeper.ts';
import { lockFree, takeLock } from './till/lock.ts';
import { SETTINGS } from './till/settings.ts';
import type { Notice } from './till/step.ts';
import { type Account, Wire } from './till/wire.ts';

export type Stage =
  | { is: 'opening' | 'elsewhere' | 'no_locks' | 'no_journal' }
  | { is: 'setup'; foreign?: string }
  | { is: 'open'; register: Register };

export const stage = signal<Stage>({ is: 'opening' });

let journal: Journal | undefined;

/** Opens what can be opened, or says what is in the way. */
export async function open(): Promise<void> {
  const lock = await takeLock();
  if (lock === 'unsupported') {
    stage.value = { is: 'no_locks' };
    return;
  }
  if (lock === 'elsewhere') {
    stage.value = { is: 'elsewhere' };
    await lockFree();
    location.reload();
    return;
  }
  try {
    journal = await Journal.open(() => {
      stage.value = { is: 'no_journal' };
    });
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    stage.value = { is: 'no_journal' };
    return;
  }
  const account = await journal.storage.get<Account>(STATE, 'account');
  if (account) await openFor(journal, account);
  else stage.value = { is: 'setup' };
}

/** Why an account was not taken. */
export type SetupFault = 'wrong' | 'unreachable';

/** Tries an account at the gateway, keeps it and opens. */
export async function setUp(account: Account): Promise<SetupFault | undefined> {
  if (!journal) return 'unreachable';
  const wire = new Wire(account, { ...SETTINGS, attempt: SETTINGS.deadline }, () => performance.now());
  const refused = await wire.check();
  if (refused) return refused.reply === 'operator' ? 'wrong' : 'unreachable';
  // Without it the browser may throw the journal away when room is short. It may say no: then the connection panel says so.
  await navigator.storage?.persist?.();
  await journal.storage.put(STATE, 'account', account);
  // Opened anew: what the journal holds is read again.
  location.reload();
  return undefined;
}

/** Takes the secret and the open basket with its member off this device. Journal and receipts stay, for their sales may still come back. */
export async function signOut(register: Register): Promise<boolean> {
  if (register.keeper.machine.book.unsettled > 0) return false;
  await register.drop();
  if (register.draft.value.hold || register.isSelling || register.keeper.machine.book.unsettled > 0) return false;
  await register.storage.write([
    { store: STATE, remove: 'account' },
    { store: STATE, remove: 'draft' },
  ]);
  location.reload();
  return true;
}

async function openFor(opened: Journal, account: Account): Promise<void> {
  // Notices of the first steps may come before the register stands.
  const early: Notice[] = [];
  let take = (notice: Notice): void => void early.push(notice);
  try {
    const keeper = await Keeper.open(opened, account, (notice) => take(notice));
    const register = await Register.open(opened.storage, keeper, account.clientId);
    register.isPersistent.value = (await navigator.storage?.persisted?.()) ?? false;
    take = (notice) => register.notice(notice);
    early.forEach(take);
    stage.value = { is: 'open', register };
  } catch (error) {
    if (!(error instanceof ForeignJournal)) throw error;
    stage.value = { is: 'setup', foreign: error.clientId };
  }
}
