// The gateway's stable words in the two languages. A word that is not known here is shown as it is.

import { language } from '../kit/i18n.ts';

type Pair = readonly [ja: string, en: string];
type Words = Readonly<Record<string, Pair>>;

export const TERMS = {
  status: { active: ['有効', 'Active'], blocked: ['停止中', 'Blocked'], erased: ['消去済み', 'Erased'] },
  role: { support: ['サポート', 'Support'], manager: ['マネージャー', 'Manager'], auditor: ['監査', 'Auditor'] },
  scope: {
    pos: ['レジ (pos)', 'Till (pos)'],
    ec: ['ショップ (ec)', 'Shop (ec)'],
    admin: ['スタッフ (admin)', 'Staff (admin)'],
  },
  how: {
    number: ['会員番号', 'Member number'],
    card: ['カード', 'Card'],
    proved: ['確認済みの連絡先など', 'Proved identity'],
    told: ['自己申告', 'Told, not proved'],
  },
  cardKind: {
    device: ['スマートフォン', 'Phone'],
    wallet: ['ウォレット', 'Wallet pass'],
    plastic: ['プラスチック', 'Plastic'],
  },
  cardStatus: { active: ['有効', 'Active'], revoked: ['失効', 'Revoked'] },
  identity: {
    ec_customer: ['ショップの顧客', 'Customer of a shop'],
    ec_guest: ['ショップのゲスト', 'Guest of a shop'],
    email: ['メール', 'E-mail'],
    phone: ['電話', 'Phone'],
    openid: ['OpenID', 'OpenID'],
  },
  proof: {
    link_code: ['連携コード', 'Link code'],
    one_time_code: ['ワンタイムコード', 'One-time code'],
    shop_statement: ['ショップの申告', 'Statement of the shop'],
    id_token: ['ID トークン', 'ID token'],
    staff: ['スタッフ', 'Staff'],
    order: ['注文', 'Order'],
  },
  motive: {
    accrual: ['購入による付与', 'Accrual'],
    debt_settlement: ['不足分への充当', 'Set against what was owed'],
    hold: ['会計のための確保', 'Hold'],
    release: ['確保の解除', 'Release of a hold'],
    capture: ['利用', 'Redemption'],
    shortfall: ['店舗負担', 'Borne by the store'],
    restoration: ['返品による返還', 'Given back by a refund'],
    clawback: ['返品による取消', 'Clawback'],
    expiry: ['失効', 'Expiry'],
    grace: ['失効分の再付与', 'Granted anew for some days'],
    maturity: ['利用可能になった', 'Became spendable'],
    adjustment: ['手動の調整', 'Adjustment'],
    pooling: ['統合した記録への貸出', 'Lent to a merged record'],
    pooling_return: ['貸出の返却', 'Lent points came back'],
  },
  account: {
    'member.available': ['利用可能', 'Available'],
    'member.held': ['確保', 'Held'],
    'member.pending': ['付与予定', 'Pending'],
    'member.owed': ['不足', 'Owed'],
    'programme.issued': ['発行', 'Issued'],
    'programme.breakage': ['失効', 'Lapsed'],
    'programme.clearing': ['記録の間', 'Between records'],
    'store.redeemed': ['店舗での利用', 'Redeemed at the store'],
    'store.shortfall': ['店舗負担', 'Borne by the store'],
  },
  order: {
    placed: ['注文済み', 'Placed'],
    announced: ['連絡あり', 'Announced'],
    anonymous: ['会員不明', 'Anonymous'],
    paid: ['支払済み', 'Paid'],
    partly_shipped: ['一部出荷', 'Partly shipped'],
    shipped: ['出荷済み', 'Shipped'],
    returned: ['返品', 'Returned'],
    cancelled: ['取消', 'Cancelled'],
  },
  merge: { merged: ['統合', 'Merged'], unmerged: ['分離', 'Unmerged'] },
  candidate: {
    same_kana_and_birthday: ['カナと生年月日が同じ', 'Same reading and birthday'],
    same_email: ['メールが同じ', 'Same e-mail'],
    same_phone: ['電話番号が同じ', 'Same phone'],
  },
  direction: { grant: ['付与', 'Grant'], take: ['減算', 'Take'] },
  proposal: {
    open: ['承認待ち', 'Open'],
    approved: ['承認済み', 'Approved'],
    refused: ['却下', 'Refused'],
    expired: ['期限切れ', 'Expired'],
  },
  access: {
    record: ['記録', 'Record'],
    profile: ['個人情報', 'Profile'],
    export: ['書き出し', 'Export'],
    find: ['検索', 'Search'],
    search: ['検索', 'Search'],
    candidates: ['統合候補', 'Merge candidates'],
    preview: ['統合の確認', 'Merge preview'],
    history: ['ポイントの履歴', 'History'],
    why: ['ポイントの理由', 'Why'],
    orders: ['注文', 'Orders'],
  },
  profile: {
    name: ['氏名', 'Name'],
    kana: ['カナ', 'Reading'],
    email: ['メール', 'E-mail'],
    phone: ['電話', 'Phone'],
    birthday: ['生年月日', 'Birthday'],
    postal_code: ['郵便番号', 'Postal code'],
    consents: ['同意', 'Consents'],
  },
  platform: {
    shopify: ['Shopify', 'Shopify'],
    woocommerce: ['WooCommerce', 'WooCommerce'],
    ec_cube: ['EC-CUBE', 'EC-CUBE'],
    api: ['API 直結', 'Own, by API'],
  },
  channel: { store: ['店舗', 'Store'], shop: ['EC', 'Shop'], none: ['購入なし', 'No purchase'] },
  outcome: {
    done: ['完了', 'Done'],
    begun: ['開始のみ', 'Begun'],
    proposed: ['提案', 'Proposed'],
    refused: ['不可', 'Refused'],
    failed: ['失敗', 'Failed'],
  },
  rule: {
    already_merged: ['すでに同じ会員です', 'Both are one member already'],
    not_merged: ['統合されていません', 'The record was not merged'],
    member_erased: ['消去された会員です', 'The member was erased'],
    member_blocked: ['停止中の会員です', 'The member is blocked'],
    too_many_records: ['記録が多すぎます', 'The person would have too many records'],
    amount_too_large: ['ポイントが大きすぎます', 'Too many points'],
    unknown_code: ['コードが見つかりません', 'No such code'],
    too_many_attempts: ['試行回数を超えました', 'Too many tries'],
    number_taken: ['番号は使われています', 'The number is on another card'],
    insufficient_points: ['ポイントが足りません', 'Not enough points'],
    own_proposal: ['自分の提案は承認できません', 'Nobody approves their own proposal'],
    proposal_decided: ['すでに決定されています', 'The proposal was decided already'],
    proposal_expired: ['提案の期限が切れています', 'The proposal has ended'],
    exists: ['すでにあります', 'It exists already'],
    moved: ['先に変更されました', 'Somebody else was faster'],
    secret_of_platform: ['シークレットはショップ側で発行されます', 'The platform gives out its own secret'],
    not_dead: ['その連絡はもうありません', 'There is no such dead letter any more'],
    not_of_member: ['この会員のカードではありません', 'The card is not one of the member’s'],
    staff_client: [
      'ほかのスタッフのシークレットは gateway admin client で更新します',
      'Secrets of other staff are changed with gateway admin client',
    ],
    own_client: ['自分のクライアントは無効にできません', 'Nobody disables their own client'],
    card_revoked: ['カードは失効しています', 'The card was revoked'],
    unknown_class: ['そのポイント種別はありません', 'There is no such class of points'],
  },
  problem: {
    bad_request: ['要求を読めませんでした', 'The request cannot be read'],
    unauthenticated: ['サインインしてください', 'Sign in first'],
    invalid_token: ['サインインの期限が切れました', 'The sign-in has ended'],
    invalid_client: ['ID またはシークレットが違います', 'The id or the secret is wrong'],
    invalid_scope: ['このクライアントは管理用ではありません', 'This client is not for staff'],
    unauthorized_client: ['このクライアントは管理用ではありません', 'This client is not for staff'],
    insufficient_scope: ['このクライアントは管理用ではありません', 'This client is not for staff'],
    role_not_allowed: ['この役割では行えません', 'This role may not do that'],
    not_found: ['見つかりません', 'There is nothing here'],
    unknown_resource: ['見つかりません', 'No such thing is known'],
    validation_failed: ['入力を確かめてください', 'Please check what was entered'],
    rate_limited: ['要求が多すぎます。少し待ってください', 'Too many requests. Please wait a moment'],
    overloaded: ['混み合っています。行われていません', 'Too much to do. It was not begun'],
    unavailable: ['いまは利用できません', 'Not available now'],
    not_set_up: ['このゲートウェイでは設定されていません', 'This gateway is not set up for that'],
    conflict: ['いまの状態では行えません', 'It does not go with how things stand'],
    fault: ['ゲートウェイで問題が起きました', 'Something broke at the gateway'],
    outcome_unknown: ['結果が分かりません', 'The outcome is not known'],
  },
} as const satisfies Record<string, Words>;

export type TermKind = keyof typeof TERMS;

export function term(kind: TermKind, word: string | null | undefined): string {
  if (word === null || word === undefined) return '';
  const words: Words = TERMS[kind];
  const pair = Object.hasOwn(words, word) ? words[word] : undefined;
  return pair ? pair[language.value === 'ja' ? 0 : 1] : word;
}

/** Whether the page has words of its own for it. */
export function knows(kind: TermKind, word: string): boolean {
  return Object.hasOwn(TERMS[kind], word);
}
