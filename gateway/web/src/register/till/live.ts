// What only this run of the till knows about a request. All of it may be forgotten in a crash.

import type { Reply } from './step.ts';
import type { Why } from './verdict.ts';

/** What only this run of the till knows about a request. */
export interface Live {
  waiting?: { ticket: number; until: number } | undefined;
  /** Whether it may have reached the gateway. */
  maybeSent: boolean;
  /** Whether to ask what became of it before it is sent again. */
  unsure: boolean;
  inFlight?: { number: number; sends: boolean } | undefined;
  notBefore: number;
  pause: number;
  /** Whether it failed last while the gateway counted as away. */
  away: boolean;
  why?: Why | undefined;
  /** How often its id turned out to be taken. */
  renamed: number;
}

export const fresh = (): Live => ({ maybeSent: false, unsure: false, notBefore: 0, pause: 0, away: false, renamed: 0 });

/** A request that an earlier run may have sent. */
export const resumed = (): Live => ({ ...fresh(), maybeSent: true, unsure: true, why: { is: 'restarted' } });

export const mayArrive = (live: Live): boolean => live.maybeSent || live.inFlight?.sends === true;

/** Whether the gateway may have seen what was sent; these statuses refuse before anything is begun. */
export function mayHaveArrived(reply: Reply): boolean {
  if (reply.reply === 'http') return ![401, 403, 404, 405, 429].includes(reply.status);
  return reply.reply === 'lost';
}
