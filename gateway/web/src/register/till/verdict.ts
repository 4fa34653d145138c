// What the cashier is told. Every request ends in exactly one of these. Mirrors `pos-protocol/src/client/verdict.rs`.

import type { Decline, Json } from './message.ts';

/** Why the gateway gave no answer in time. */
export type Why =
  | { is: 'no_answer' | 'away' | 'busy' | 'restarted' }
  /** The gateway refuses this till: its credentials, rights or address are wrong. */
  | { is: 'operator'; what: string };

/** Why the till itself refused. Nothing was sent, or what was sent had no effect. */
export type Refusal =
  | { is: 'journal_unwritable'; detail: string }
  | { is: 'malformed'; detail: string }
  | { is: 'basket_completed' }
  | { is: 'unsettled'; count: number }
  | { is: 'defect'; problem: string; detail: string };

export type Verdict =
  /** The gateway did it, durably. */
  | { verdict: 'approved'; answer: Json }
  /** A rule refused it, durably. */
  | { verdict: 'declined'; decline: Decline }
  /** The gateway could not be asked; nothing may be given on its strength. Never shown as a decline. */
  | { verdict: 'not_asked'; why: Why; undoing: boolean }
  /** It counts, once, and the gateway will be told: points follow. */
  | { verdict: 'queued'; why: Why }
  | { verdict: 'refused'; refusal: Refusal };
