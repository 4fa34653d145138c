// What the gateway answers, field by field as docs/console.md says. What may be null may also be absent.

export type Maybe<T> = T | null | undefined;
export type Role = 'support' | 'manager' | 'auditor';

export interface OpenIdIssuer {
  issuer: string;
  name: string;
  client_id: string;
  authorization_url: string;
}
export interface SignInWays {
  client_credentials: boolean;
  openid: OpenIdIssuer[];
}
export interface Token {
  access_token: string;
  expires_in: number;
}
export interface Me {
  actor: string;
  role: Role;
  programme: string;
  programme_name: string;
  classes: string[];
  adjustments: { alone_points_max: number; alone_points_per_day_max: number; proposal_hours: number };
  personal_data: boolean;
  calls: string[];
}

export interface Points {
  available: number;
  held: number;
  pending: number;
  owed: number;
}
export interface Scope {
  stores?: Maybe<string[]>;
  categories?: Maybe<string[]>;
}
export interface Found {
  member_id: string;
  member_no: string;
  person_no: string;
  how: string;
  status: string;
  rank: string;
  available: number;
  records: number;
  erased: boolean;
}
export interface MemberRecord extends Points {
  member_id: string;
  member_no: string;
  merged_into?: Maybe<string>;
  status: string;
  enrolled_at: string;
  earn_only_until?: Maybe<string>;
  last_activity_on?: Maybe<string>;
}
export interface Identity {
  member_id: string;
  kind: string;
  issuer: string;
  label: string;
  proof: string;
  actor: string;
  proven_at: string;
  revoked_at?: Maybe<string>;
}
export interface Card {
  card_id: string;
  member_id: string;
  kind: string;
  name?: Maybe<string>;
  status: string;
  enrolled_at: string;
  revoked_at?: Maybe<string>;
}
export interface Lot {
  lot_id: string;
  member_id: string;
  class: string;
  expires_on?: Maybe<string>;
  scope?: Maybe<Scope>;
  granted: number;
  available: number;
  held: number;
  pending: number;
  origin: string;
  opened_at: string;
  programme_version: number;
  lent_by?: Maybe<string>;
}
export interface Hold {
  authorization_id: string;
  member_id: string;
  store_id: string;
  terminal_id: string;
  basket_id: string;
  points: number;
  held_at: string;
  expires_at: string;
}
export interface MergeRow {
  merge_id: string;
  act: string;
  member_id: string;
  into_member_id: string;
  proof: string;
  reason?: Maybe<string>;
  actor: string;
  at: string;
}
export interface Proposal {
  proposal_id: string;
  member_id: string;
  member_no: string;
  direction: string;
  points: number;
  class: string;
  scope?: Maybe<Scope>;
  reason: string;
  proposed_by: string;
  proposed_at: string;
  expires_at: string;
  state: string;
  decided_by?: Maybe<string>;
  decided_at?: Maybe<string>;
  decision_reason?: Maybe<string>;
}
export interface Access {
  at: string;
  member_id: string;
  actor: string;
  what: string;
  purpose: string;
}
export interface Person {
  member_id: string;
  member_no: string;
  status: string;
  rank: string;
  points: Points;
  enrolled_at: string;
  erased_at?: Maybe<string>;
  has_profile: boolean;
  records: MemberRecord[];
  identities: Identity[];
  cards: Card[];
  lots: Lot[];
  holds: Hold[];
  merges: MergeRow[];
  proposals: Proposal[];
  accesses: Access[];
}
export interface Entry {
  id: string;
  member_id: string;
  at: string;
  business_date: string;
  motive: string;
  points: number;
  change: number;
  debit: string;
  credit: string;
  lot_id?: Maybe<string>;
  store_id?: Maybe<string>;
  source: string;
}
export interface Explanation {
  entry: string;
  kind: string;
  text: { en: string; ja: string };
}
export interface Order {
  shop_id: string;
  order_id: string;
  member_id: string;
  state: string;
  purchase_id?: Maybe<string>;
  remark?: Maybe<string>;
  first_at: string;
  changed_at: string;
}
export interface Profile {
  member_id: string;
  version: number;
  changed_at: string;
  profile: Record<string, unknown>;
}

export interface Candidate {
  why: string;
  members: string[];
}
export interface Side {
  member_id: string;
  member_no: string;
  status: string;
  rank: string;
  records: number;
  points: Points;
  cards: number;
  identities: number;
  lots: Lot[];
}
export interface MergePreview {
  allowed: boolean;
  refusal?: Maybe<string>;
  alias: Side;
  stays: Side;
  after?: Maybe<Side>;
}
export interface Spent {
  lot_id: string;
  of_member_id: string;
  by_member_id: string;
  points: number;
  by_the_parted: boolean;
}
export interface UnmergeReport {
  parted: boolean;
  records: string[];
  points: Points;
  lots: Lot[];
  spent_across: Spent[];
}

export interface StoreRow {
  store_id: string;
  name: string;
  created_at: string;
  shop_id?: Maybe<string>;
}
export interface Terminal {
  terminal_id: string;
  store_id: string;
  created_at: string;
}
export interface Client {
  client_id: string;
  scopes: string[];
  role?: Maybe<string>;
  terminal_id?: Maybe<string>;
  store_id?: Maybe<string>;
  shop_id?: Maybe<string>;
  created_at: string;
  disabled_at?: Maybe<string>;
}
export interface Shop {
  shop_id: string;
  platform: string;
  name: string;
  base_url?: Maybe<string>;
  store_id?: Maybe<string>;
  terminal_id?: Maybe<string>;
  webhook_path?: Maybe<string>;
  secrets: { created_at: string; ends_at?: Maybe<string> }[];
  created_at: string;
  disabled_at?: Maybe<string>;
}

export interface Health {
  at: string;
  ready: boolean;
  database: { kind: string; ok: boolean; answer_ms?: Maybe<number> };
  programme_version: number;
  writer: { ok: boolean; lanes: { lane: number; waiting: number; capacity: number }[] };
  outbox: { waiting: number; oldest_at?: Maybe<string>; oldest_age_seconds?: Maybe<number>; alarm: boolean };
  relay: { held: boolean };
  inbox: { waiting: number; dead: number; oldest_at?: Maybe<string>; oldest_age_seconds?: Maybe<number> };
}
export interface DeadLetter {
  message_id: string;
  shop_id: string;
  topic: string;
  received_at: string;
  attempts: number;
  error?: Maybe<string>;
}
export interface Act {
  act_id: string;
  at: string;
  actor: string;
  role: string;
  act: string;
  subject?: Maybe<string>;
  reason?: Maybe<string>;
  points?: Maybe<number>;
  outcome: string;
}

export type Cell = string | number | null;
export type Kind = 'period' | 'text' | 'count' | 'points' | 'yen' | 'rate';
export interface Column {
  name: string;
  kind: Kind | string;
}
export interface Figure {
  figure: string;
  definition: string;
  by: string;
  from: string;
  to: string;
  generated_at: string;
  columns: Column[];
  rows: Cell[][];
}
