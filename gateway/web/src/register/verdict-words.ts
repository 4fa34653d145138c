// What the cashier reads about a verdict, in Japanese and English: short, and first what to do. The same words as
// `pos-protocol/src/client/words.rs`. An unknown outcome is never worded as a decline.

import { language } from '../kit/i18n.ts';
import type { Decline, Operation } from './till/message.ts';
import type { Refusal, Verdict, Why } from './till/verdict.ts';

/** Japanese and English. */
type Words = readonly [ja: string, en: string];

const pick = ([ja, en]: Words): string => (language.value === 'ja' ? ja : en);

/** Words for a verdict on an operation. */
export function verdictWords(verdict: Verdict, operation: Operation): string {
  switch (verdict.verdict) {
    case 'approved':
      return pick(['承認されました。', 'Approved.']);
    case 'declined':
      return declineWords(verdict.decline, operation);
    case 'not_asked': {
      const undoing: Words = ['取消を自動で送ります。', ' What may have happened is being undone.'];
      return pick(NOT_ASKED[operation]) + (verdict.undoing ? pick(undoing) : '') + operatorWords(verdict.why);
    }
    case 'queued':
      return (
        pick(operation === 'purchase' ? QUEUED_SALE : operation === 'refund' ? QUEUED_REFUND : QUEUED) +
        operatorWords(verdict.why)
      );
    case 'refused':
      return refusalWords(verdict.refusal, operation);
  }
}

const NO_POINTS: Words = [
  'ポイントを外してください。センターに確認できませんでした。',
  'Take the points off: the gateway could not be asked.',
];
const NOT_DONE: Words = [
  '処理できませんでした。センターに確認できませんでした。',
  'This was not done: the gateway could not be asked.',
];

const NOT_ASKED: Record<Operation, Words> = {
  inquiry: [
    'センターに確認できませんでした。ポイント利用なしで会計してください。付与は後ほど反映されます。',
    'The gateway could not be asked. Go on without using points; points are still earned.',
  ],
  authorization: NO_POINTS,
  purchase: NO_POINTS,
  refund_quote: [
    '返品の内容を確認できませんでした。もう一度お試しください。',
    'The refund could not be looked up: the gateway could not be asked. Try again.',
  ],
  settlement: [
    '精算できませんでした。しばらくしてからもう一度精算してください。',
    'The day is not settled: the gateway could not be asked. Settle again later.',
  ],
  void: NOT_DONE,
  refund: NOT_DONE,
  reversal: NOT_DONE,
};

const QUEUED_SALE: Words = [
  '会計は成立しました。ポイントは後ほど反映されます。',
  'The sale counts. Points follow when the gateway answers.',
];
const QUEUED_REFUND: Words = [
  '返品は成立しました。ポイントは後ほど反映されます。返金からの差引額はまだ分かりません。',
  'The refund counts. Points follow; what is to be kept from the cash is not known yet.',
];
const QUEUED: Words = [
  '受け付けました。センターには後ほど伝えます。',
  'It counts. The gateway is told when it answers.',
];

const SELL_WITHOUT: Words = ['ポイントなしで会計してください。', 'Sell without points: '];
const REFUSED: Record<Operation, Words> = {
  inquiry: SELL_WITHOUT,
  authorization: SELL_WITHOUT,
  purchase: SELL_WITHOUT,
  void: ['お預かりのポイントを取り消せません。', 'The held points are not let go yet: '],
  refund_quote: ['返品の内容を確認できません。', 'The refund could not be looked up: '],
  refund: ['返品は処理されていません。返金しないでください。', 'The refund was not done. Give nothing back: '],
  reversal: ['取り消されていません。', 'Nothing was undone: '],
  settlement: ['精算されていません。', 'The day is not settled: '],
};

function refusalWords(refusal: Refusal, operation: Operation): string {
  switch (refusal.is) {
    case 'basket_completed':
      return pick([
        'この会計は受付済みです。もう一度登録しないでください。',
        'This basket has its sale already. Do not sell it again.',
      ]);
    case 'unsettled':
      return pick([
        `未確定の処理が${refusal.count}件残っています。しばらくしてから精算してください。`,
        `${refusal.count} requests of the day are still unanswered. Settle again later.`,
      ]);
    case 'journal_unwritable':
      return (
        pick(REFUSED[operation]) +
        pick([
          'レジに記録できません。サポートに連絡してください。',
          'this till cannot write its journal. Call support.',
        ])
      );
    default:
      return (
        pick(REFUSED[operation]) +
        pick(['レジの不具合です。サポートに連絡してください。', 'this till made a mistake. Call support.'])
      );
  }
}

/** What an operator has to mend, if that is why. */
function operatorWords(why: Why): string {
  if (why.is !== 'operator') return '';
  return pick([`レジの設定に誤りがあります: ${why.what}`, ` This till is set up wrongly: ${why.what}`]);
}

/** Words for a decline. */
export function declineWords({ reason }: Pick<Decline, 'reason'>, operation: Operation): string {
  const known = REASONS[reason];
  if (known) return pick(known);
  const sells = operation === 'inquiry' || operation === 'authorization' || operation === 'purchase';
  return sells
    ? pick(['承認されませんでした。ポイントなしで会計してください。', 'Declined. Sell without points.'])
    : pick(['承認されませんでした。サポートに連絡してください。', 'Declined. Call support.']);
}

const BLOCKED: Words = [
  'このカードは利用停止中です。お客様窓口をご案内ください。',
  'This card is blocked. The shopper can ask the help desk.',
];

const REASONS: Record<string, Words> = {
  unknown_card: [
    'カードを確認できません。会員証を開き直してもらい、もう一度読み取ってください。',
    'The card cannot be read. Ask the shopper to open it again, then scan.',
  ],
  card_blocked: BLOCKED,
  member_blocked: BLOCKED,
  card_text_expired: [
    'コードの有効時間が過ぎました。画面の新しいコードを読み取ってください。',
    'The code is too old. Scan the code that the phone shows now.',
  ],
  card_text_from_future: [
    'スマートフォンかレジの時計がずれています。もう一度読み取ってください。',
    'A clock is wrong, the phone’s or this till’s. Scan again.',
  ],
  card_already_used: [
    'このコードは使用済みです。画面の新しいコードを読み取ってください。',
    'This code was used for another sale. Scan the code that the phone shows now.',
  ],
  spend_not_allowed: [
    'ポイント利用がオフです。お客様にオンにしてもらい、読み取り直してください。',
    'The shopper has not switched spending on. Ask them to, then scan again.',
  ],
  above_card_limit: [
    'お客様の設定した上限を超えています。ポイントを減らしてください。',
    'More than the shopper allowed. Use fewer points, or scan again with a higher limit.',
  ],
  above_programme_limit: [
    '一回の利用上限を超えています。ポイントを減らしてください。',
    'More than one sale may use. Use fewer points.',
  ],
  above_receipt_total: [
    '会計額を超えています。ポイントを減らしてください。',
    'More points than the sale is worth. Use fewer points.',
  ],
  above_hold: [
    'お預かりしたポイントを超えています。ポイントを減らしてください。',
    'More than was held. Use fewer points, or hold again.',
  ],
  above_refundable: ['このレシートの返品可能数を超えています。', 'More than is left to return on this receipt.'],
  zero_points: ['ポイント数が入力されていません。', 'No points were asked for.'],
  too_many_holds: [
    'この会員の未完了の会計が多すぎます。先に完了か取消をしてください。',
    'Too many open baskets of this member. Finish or void one.',
  ],
  amount_too_large: ['金額が大きすぎるためポイントを扱えません。', 'The amount is too large for points.'],
  insufficient_points: ['ポイントが足りません。ポイントを減らしてください。', 'Not enough points. Use fewer points.'],
  unknown_authorization: [
    'お預かりしたポイントが見つかりません。もう一度お預かりしてください。',
    'The held points are not known. Hold again.',
  ],
  unknown_purchase: [
    'この売上が見つかりません。レシートを確認してください。',
    'This sale is not known here. Check the receipt.',
  ],
  unknown_line: ['この明細はレシートにありません。', 'This line is not on the receipt.'],
  hold_expired: [
    'お預かりの時間が過ぎました。もう一度お預かりしてください。',
    'The held points went back after their time. Hold again.',
  ],
  already_voided: ['お預かりは取消済みです。', 'The held points were let go already.'],
  already_captured: ['お預かりのポイントは支払済みです。', 'The held points were paid already.'],
  reversed: ['この処理は取り消されています。', 'This was undone.'],
  basket_completed: ['この会計は完了しています。', 'This basket has its sale already.'],
  business_date_not_open: [
    '営業日が一致しません。レジの日付を確認してください。',
    'The business day is not open. Check the till’s date.',
  ],
  advice_too_late: ['通知が遅すぎたため、この売上にポイントは付きません。', 'Told too late: no points for this sale.'],
  not_reversible: ['この処理は取り消せません。', 'This cannot be undone.'],
};
