// Where one is in the console, kept in the fragment of the address: back, forward, reload and bookmarks work. Nothing
// that names a person stands in it but member numbers.

export const TABS = ['overview', 'points', 'history', 'orders', 'merges', 'accesses'] as const;
export type Tab = (typeof TABS)[number];

export const FIGURES = [
  'members',
  'activity',
  'points',
  'liability',
  'liability-age',
  'channels',
  'redemption',
] as const;
export type FigureName = (typeof FIGURES)[number];

/** What a figure is asked for. */
export interface Period {
  by?: 'day' | 'month';
  from?: string;
  to?: string;
}

export type Route =
  | { at: 'members' }
  | { at: 'member'; member: string; tab: Tab }
  | { at: 'proposals'; state: 'open' | 'all' }
  | { at: 'merging' }
  | { at: 'merge'; member: string; into: string }
  | { at: 'unmerge'; member: string }
  | { at: 'stores' }
  | { at: 'shops' }
  | { at: 'clients' }
  | { at: 'health' }
  | { at: 'figures'; figure: FigureName; period: Period }
  | { at: 'acts' }
  | { at: 'unknown' };

const PLAIN = ['members', 'merging', 'stores', 'shops', 'clients', 'health', 'acts'] as const;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

function one<T extends string>(values: readonly T[], word: string | null | undefined): T | undefined {
  return values.find((value) => value === word);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Reads a fragment such as `#/members/123456789015/history`. An empty one is the search. */
export function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2);
  const parts = path.split('/').filter(Boolean).map(decoded);
  const asked = new URLSearchParams(query);
  const [head, first, second] = parts;
  if (head === undefined) return { at: 'members' };
  const plain = one(PLAIN, head);
  if (plain && parts.length === 1) return { at: plain };
  if (head === 'members' && first) {
    const tab = second === undefined ? 'overview' : one(TABS, second);
    if (tab && parts.length <= 3) return { at: 'member', member: first, tab };
  }
  if (head === 'proposals' && parts.length === 1) {
    return { at: 'proposals', state: one(['open', 'all'] as const, asked.get('state')) ?? 'open' };
  }
  if (head === 'merging' && first && second && parts.length === 3) {
    return { at: 'merge', member: first, into: second };
  }
  if (head === 'unmerging' && first && parts.length === 2) return { at: 'unmerge', member: first };
  if (head === 'figures' && parts.length <= 2) {
    const figure = first === undefined ? 'points' : one(FIGURES, first);
    if (figure) return { at: 'figures', figure, period: period(asked) };
  }
  return { at: 'unknown' };
}

function period(asked: URLSearchParams): Period {
  const by = one(['day', 'month'] as const, asked.get('by'));
  const day = (name: string) => {
    const text = asked.get(name) ?? '';
    return DAY.test(text) ? text : undefined;
  };
  const [from, to] = [day('from'), day('to')];
  return { ...(by && { by }), ...(from && { from }), ...(to && { to }) };
}

/** The fragment of a place; `parse` reads it back. */
export function format(route: Exclude<Route, { at: 'unknown' }>): string {
  const path = (...parts: string[]) => `#/${parts.map(encodeURIComponent).join('/')}`;
  switch (route.at) {
    case 'member':
      return route.tab === 'overview' ? path('members', route.member) : path('members', route.member, route.tab);
    case 'proposals':
      return route.state === 'open' ? '#/proposals' : '#/proposals?state=all';
    case 'merge':
      return path('merging', route.member, route.into);
    case 'unmerge':
      return path('unmerging', route.member);
    case 'figures': {
      const query = new URLSearchParams(Object.entries(route.period)).toString();
      return path('figures', route.figure) + (query ? `?${query}` : '');
    }
    default:
      return path(route.at);
  }
}
