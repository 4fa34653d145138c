// A request as the till keeps it, the entries of its journal, and what giving a request up means.
//
// The browser's half of `docs/till-client.md`; mirrors `pos-protocol/src/client/message.rs` and `record.rs`. Entries have the fields of
// the table there, so a vendor reads both journals with one reader.

export type Operation =
  | 'inquiry'
  | 'authorization'
  | 'void'
  | 'purchase'
  | 'refund_quote'
  | 'refund'
  | 'reversal'
  | 'settlement';

/** JSON of the gateway, read field by field. */
export type Json = Record<string, unknown>;

/** A request: `body` is posted to `path`, the same bytes every time. */
export interface Request {
  request_id: string;
  /** When it was written down, on the till's clock. */
  at: string;
  operation: Operation;
  path: string;
  body: Json;
  /** Also of messages that do not name it: requests of one basket go in order. */
  basket_id?: string;
  /** When the card was scanned; a sale that becomes an advice needs it. */
  scanned_at?: string;
  /** The request this one takes the place of. */
  replaces?: string;
}

export interface Opened {
  format: 1;
  journal: string;
  generation: string;
  at: string;
  why: 'start' | 'request_id_reused';
  owner?: Owner;
}

/** The terminal a journal's requests belong to, and the gateway that has them. */
export interface Owner {
  client_id: string;
  gateway: string;
}

/** One record of the journal. Nothing is changed in place: a later entry says what became of an earlier one. */
export type Entry =
  | ({ entry: 'opened' } & Opened)
  | ({ entry: 'request' } & Request)
  | { entry: 'told'; request_id: string; at: string }
  | { entry: 'kept'; request_id: string; at: string }
  | { entry: 'dropped'; request_id: string; at: string }
  | { entry: 'answer'; request_id: string; at: string; answer: Json }
  | { entry: 'refused'; request_id: string; at: string; problem: string; detail: string };

/** What a till does with a request that has no answer when the cashier can wait no longer. */
export type GiveUp = 'forget' | 'reverse' | 'keep';

export interface Decline {
  reason: string;
  response_code: string;
  points?: { available: number; spendable?: number };
}

/** What an answer says. */
export type Reading = { approved: Json } | { declined: Decline };

const REASON_CHARS_MAX = 64;

/** Whether nobody waits for it from the beginning: it tells the gateway what has happened. */
export function isAfterwards(request: Request): boolean {
  return request.operation === 'reversal' || (request.operation === 'purchase' && request.body['advice'] !== undefined);
}

/** The request it undoes, if it is a reversal. */
export function reverses(request: Request): string | undefined {
  return request.operation === 'reversal' ? String(request.body['original_request_id']) : undefined;
}

/**
 * What giving it up means. `held` is how many points the hold that it captures promised, if the till knows. Points that the gateway
 * never promised are not given on the strength of a hope: this till never bears the shop's risk.
 */
export function giveUp(request: Request, held: number | undefined): GiveUp {
  switch (request.operation) {
    case 'inquiry':
    case 'refund_quote':
    case 'settlement':
      return 'forget';
    case 'authorization':
      return 'reverse';
    case 'void':
    case 'refund':
    case 'reversal':
      return 'keep';
    case 'purchase': {
      const points = Number(request.body['redeem_points'] ?? 0);
      const unpromised = request.body['advice'] === undefined && points > (held ?? 0);
      return unpromised ? 'reverse' : 'keep';
    }
  }
}

/** The sale as an advice: it happened, and is told afterwards. `undefined` if it is no sale or its scan has no time. */
export function asAdvice(request: Request, requestId: string, at: string): Request | undefined {
  if (request.operation !== 'purchase' || request.scanned_at === undefined) return undefined;
  return {
    ...request,
    request_id: requestId,
    at,
    body: { ...request.body, request_id: requestId, advice: { scanned_at: request.scanned_at } },
  };
}

/** Whether an advice may get what the sale itself, declined late for this, did not. */
export function adviceMayCure(request: Request, decline: Decline): boolean {
  if (request.operation !== 'purchase' || request.body['advice'] !== undefined) return false;
  if (decline.reason === 'member_blocked') return request.body['authorization_id'] !== undefined;
  return ['card_text_expired', 'hold_expired', 'business_date_not_open'].includes(decline.reason);
}

/** The same request under another id. */
export function renamed(request: Request, requestId: string): Request {
  return {
    ...request,
    request_id: requestId,
    body: { ...request.body, request_id: requestId },
    replaces: request.request_id,
  };
}

/** The reversal of a request; it goes in the order of the same basket. */
export function reversalOf(request: Request, requestId: string, at: string): Request {
  return {
    request_id: requestId,
    at,
    operation: 'reversal',
    path: '/v1/pos/reversals',
    body: { request_id: requestId, original_request_id: request.request_id },
    ...(request.basket_id === undefined ? {} : { basket_id: request.basket_id }),
  };
}

/** Whether this is an answer of a gateway under this request's id, whatever it answers. */
export function isNamedBy(request: Request, answer: Json): boolean {
  return answer['request_id'] === request.request_id && answer['outcome'] !== undefined;
}

/** What an answer says; `undefined` if it is not an answer to this request. */
export function read(request: Request, answer: Json): Reading | undefined {
  if (!isNamedBy(request, answer)) return undefined;
  if (answer['outcome'] === 'declined') return { declined: readDecline(answer) };
  return answer['outcome'] === 'approved' && fits(request, answer) ? { approved: answer } : undefined;
}

function readDecline(answer: Json): Decline {
  const reason = [...String(answer['reason'] ?? 'declined')].slice(0, REASON_CHARS_MAX).join('');
  const points = answer['points'] as Decline['points'];
  return { reason, response_code: String(answer['response_code'] ?? ''), ...(points ? { points } : {}) };
}

const NEEDED: Record<Operation, string | undefined> = {
  inquiry: 'member',
  authorization: 'authorization',
  void: undefined,
  purchase: 'purchase',
  refund_quote: 'refund',
  refund: 'refund',
  reversal: 'effect',
  settlement: 'differences',
};

/** Whether an approval has what an approval of this request has. */
function fits(request: Request, answer: Json): boolean {
  const needed = NEEDED[request.operation];
  return needed === undefined || (answer[needed] !== undefined && answer[needed] !== null);
}
