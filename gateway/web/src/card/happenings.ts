// What the gateway's events mean to the shopper. Events nobody needs to hear of mean nothing here; new types neither.

export interface GatewayEvent {
  id: string;
  type: string;
  time: string;
  data: Readonly<Record<string, unknown>>;
}

/** Something to tell, with the numbers in it. The words are made when it is shown, in the language of then. */
export interface Notice {
  id: string;
  at: string;
  kind: NoticeKind;
  used?: number;
  earned?: number;
  /** Of what was earned: not spendable yet. */
  pending?: number;
  points?: number;
  store?: string;
  receipt?: string;
  total?: number;
}

export const NOTICE_KINDS = [
  'purchase',
  'order',
  'refund',
  'undone',
  'held',
  'let_go',
  'matured',
  'expired',
  'granted',
  'taken',
  'settled',
  'reused',
  'card_added',
  'card_revoked',
  'linked',
  'unlinked',
  'merged',
  'unmerged',
  'earns_only',
  'blocked',
  'unblocked',
  'profile',
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** What the shopper sees at once while standing at the till. */
const AT_THE_TILL: ReadonlySet<NoticeKind> = new Set(['purchase', 'refund', 'undone', 'held', 'let_go', 'reused']);

const KINDS: Readonly<Record<string, NoticeKind>> = {
  'purchase.completed': 'purchase',
  'purchase.refunded': 'refund',
  'purchase.reversed': 'undone',
  'authorization.held': 'held',
  'authorization.voided': 'let_go',
  'authorization.reversed': 'let_go',
  'authorization.expired': 'let_go',
  'points.matured': 'matured',
  'points.expired': 'expired',
  'debt.settled': 'settled',
  'card.text_reused': 'reused',
  'card.enrolled': 'card_added',
  'card.revoked': 'card_revoked',
  'member.linked': 'linked',
  'member.unlinked': 'unlinked',
  'member.merged': 'merged',
  'member.unmerged': 'unmerged',
  'member.earns_only': 'earns_only',
  'member.blocked': 'blocked',
  'member.unblocked': 'unblocked',
  'member.profile_changed': 'profile',
};

export function noticeOf({ id, type, time, data }: GatewayEvent): Notice | undefined {
  const adjusted = data['direction'] === 'take' ? 'taken' : 'granted';
  const kind = type === 'points.adjusted' ? adjusted : KINDS[type];
  if (!kind) return undefined;
  const notice: Notice = { id, at: time, kind };
  if (kind === 'purchase') return { ...notice, ...purchase(data) };
  if (kind === 'refund' || kind === 'undone') {
    const restored = count(data['points_restored']);
    return {
      ...notice,
      used: restored,
      earned: count(data['points_clawed_back']),
      ...place(data),
      ...shown('total', data['amount']),
    };
  }
  return { ...notice, ...shown('points', data['points']), ...place(data) };
}

export function isAtTheTill(notice: Notice): boolean {
  return AT_THE_TILL.has(notice.kind);
}

function purchase(data: GatewayEvent['data']): Partial<Notice> {
  const receipt = (data['receipt'] ?? {}) as Record<string, unknown>;
  const earned = Array.isArray(data['earned']) ? (data['earned'] as Record<string, unknown>[]) : [];
  const waiting = earned.filter((grant) => grant['pending_until'] !== undefined || data['channel'] === 'ec');
  return {
    kind: data['channel'] === 'ec' ? 'order' : 'purchase',
    used: count(data['points_redeemed']),
    earned: count(data['points_earned']),
    pending: waiting.reduce((sum, grant) => sum + count(grant['points']), 0),
    ...place(data),
    ...shown('total', receipt['total']),
    ...(typeof receipt['number'] === 'string' && { receipt: receipt['number'] }),
  };
}

function place(data: GatewayEvent['data']): { store?: string } {
  return typeof data['store_id'] === 'string' ? { store: data['store_id'] } : {};
}

function shown<N extends 'points' | 'total'>(name: N, value: unknown): Partial<Record<N, number>> {
  return typeof value === 'number' ? ({ [name]: value } as Record<N, number>) : {};
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
