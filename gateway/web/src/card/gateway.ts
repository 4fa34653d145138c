// The calls of a phone to the gateway, and what they answer.

export interface Points {
  available: number;
  held: number;
  pending: number;
  owed: number;
  expiring: { on: string; points: number }[];
}

export interface MyCard {
  card_id: string;
  kind: 'device' | 'wallet' | 'plastic';
  name: string;
  status: 'active' | 'revoked';
  this: boolean;
  enrolled_at: string;
  revoked_at?: string;
}

export interface MyIdentity {
  key: string;
  kind: 'ec_customer' | 'ec_guest' | 'email' | 'phone' | 'openid';
  issuer: string;
  label: string;
  proof: string;
  proven_at: string;
}

export interface Me {
  member_no: string;
  status: 'active' | 'blocked';
  rank: string;
  points: Points;
  cards: MyCard[];
  identities: MyIdentity[];
  earn_only_until?: string;
  programme: string;
  stream_position: string;
  server_time: string;
}

export interface Programme {
  programme: string;
  name: string;
  server_time: string;
}

export interface Enrolled {
  card_id: string;
  member_id: string;
  member_no: string;
  programme: string;
  server_time: string;
}

export interface Entry {
  id: string;
  at: string;
  business_date: string;
  motive: string;
  points: number;
  change: number;
  store?: string;
  store_name?: string;
  source: string;
}

export interface History {
  entries: Entry[];
  next?: string;
}

export interface Explanation {
  lines: { about: string; en: string; ja: string }[];
}

export interface ShortCode {
  text: string;
  expires_at: string;
}

export interface LinkCode {
  code: string;
  expires_at: string;
}

export interface Linked {
  outcome: 'linked' | 'merged';
  member_no: string;
}

export interface Verification {
  id: string;
  expires_at: string;
}

export interface Consent {
  purpose: string;
  wording_version: string;
  given_at: string;
  withdrawn_at?: string;
}

export interface ProfileFields {
  name?: string | null;
  kana?: string | null;
  email?: string | null;
  phone?: string | null;
  birthday?: string | null;
  postal_code?: string | null;
  consents?: Consent[];
}

export interface Profile {
  version: number;
  profile: ProfileFields | null;
}

export interface GooglePass {
  save_link: string;
  card_id: string;
  number_masked: string;
}
