// Every call of the console, by name. The table says what a call needs to be offered, and where it goes; nothing else
// in the page spells an address.

export const CALLS = {
  me: 'GET /v1/admin/me',
  search: 'POST /v1/admin/members/search',
  member: 'GET /v1/admin/members/{member}',
  history: 'GET /v1/admin/members/{member}/history',
  why: 'GET /v1/admin/members/{member}/why/{entry}',
  orders: 'GET /v1/admin/members/{member}/orders',
  profile: 'POST /v1/admin/members/{member}/profile',
  export: 'POST /v1/admin/members/{member}/export',
  erase: 'POST /v1/admin/members/{member}/erase',
  block: 'POST /v1/admin/members/{member}/block',
  unblock: 'POST /v1/admin/members/{member}/unblock',
  revokeCard: 'POST /v1/admin/members/{member}/cards/{card}/revoke',
  adjust: 'POST /v1/admin/members/{member}/adjustments',
  proposals: 'GET /v1/admin/proposals',
  approve: 'POST /v1/admin/proposals/{proposal}/approve',
  refuse: 'POST /v1/admin/proposals/{proposal}/refuse',
  candidates: 'GET /v1/admin/merge-candidates',
  mergePreview: 'POST /v1/admin/merges/preview',
  merge: 'POST /v1/admin/merges',
  unmergePreview: 'POST /v1/admin/unmerges/preview',
  unmerge: 'POST /v1/admin/unmerges',
  stores: 'GET /v1/admin/stores',
  terminals: 'GET /v1/admin/terminals',
  shops: 'GET /v1/admin/shops',
  clients: 'GET /v1/admin/clients',
  createStore: 'POST /v1/admin/stores',
  createTerminal: 'POST /v1/admin/terminals',
  createShop: 'POST /v1/admin/shops',
  createClient: 'POST /v1/admin/clients',
  rotateClient: 'POST /v1/admin/clients/{client}/rotate-secret',
  disableClient: 'POST /v1/admin/clients/{client}/disable',
  rotateShop: 'POST /v1/admin/shops/{shop}/rotate-secret',
  disableShop: 'POST /v1/admin/shops/{shop}/disable',
  health: 'GET /v1/admin/health',
  deadLetters: 'GET /v1/admin/dead-letters',
  replay: 'POST /v1/admin/dead-letters/replay',
  figure: 'GET /v1/admin/figures/{figure}',
  acts: 'GET /v1/admin/acts',
} as const;

export type CallName = keyof typeof CALLS;

/** Posted so that what is asked stays out of logs; they change nothing. */
const READS: ReadonlySet<CallName> = new Set(['search', 'mergePreview', 'unmergePreview', 'profile', 'export']);

export function changes(name: CallName): boolean {
  return !CALLS[name].startsWith('GET ') && !READS.has(name);
}

/** A call without the names of its places, so that two spellings of one call are equal. */
export function shape(call: string): string {
  return call.replace(/\{[^}]*\}/g, '{}').trim();
}

/** The call that an act of the audit trail names. */
export function namedCall(act: string): CallName | undefined {
  return (Object.keys(CALLS) as CallName[]).find((name) => shape(CALLS[name]) === shape(act));
}

export type Query = Readonly<Record<string, string | number | null | undefined>>;

/** Method and address of a call. A place that is not given is a fault of the page. */
export function target(
  name: CallName,
  places: Readonly<Record<string, string>> = {},
  query: Query = {},
): { method: 'GET' | 'POST'; path: string } {
  const [method, template] = CALLS[name].split(' ') as ['GET' | 'POST', string];
  const path = template.replace(/\{([^}]*)\}/g, (_all, place: string) => {
    const value = places[place];
    if (value === undefined || value === '') throw new Error(`${name} needs ${place}`);
    return encodeURIComponent(value);
  });
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined || value === null || value === '' ? [] : [[key, String(value)]],
  );
  const search = new URLSearchParams(given).toString();
  return { method, path: search ? `${path}?${search}` : path };
}
