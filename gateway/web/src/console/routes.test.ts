import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIGURES, format, parse, type Route, TABS } from './routes.ts';

const ROUTES: Exclude<Route, { at: 'unknown' }>[] = [
  { at: 'members' },
  ...TABS.map((tab) => ({ at: 'member', member: '123456789015', tab }) as const),
  { at: 'proposals', state: 'open' },
  { at: 'proposals', state: 'all' },
  { at: 'merging' },
  { at: 'merge', member: '123456789015', into: '223456789012' },
  { at: 'unmerge', member: '123456789015' },
  { at: 'stores' },
  { at: 'shops' },
  { at: 'clients' },
  { at: 'health' },
  ...FIGURES.map((figure) => ({ at: 'figures', figure, period: {} }) as const),
  { at: 'figures', figure: 'points', period: { by: 'day', from: '2026-01-01', to: '2026-01-31' } },
  { at: 'acts' },
];

test('every place is read back from its address', () => {
  for (const route of ROUTES) assert.deepEqual(parse(format(route)), route, format(route));
  assert.equal(new Set(ROUTES.map(format)).size, ROUTES.length);
});

test('an empty address is the search, a wrong one is none', () => {
  for (const hash of ['', '#', '#/']) assert.deepEqual(parse(hash), { at: 'members' }, hash);
  const wrong = [
    '#/nowhere',
    '#/members/1/nothing',
    '#/members/1/history/2',
    '#/figures/none',
    '#/merging/1',
    '#/health/1',
  ];
  for (const hash of wrong) assert.deepEqual(parse(hash), { at: 'unknown' }, hash);
});

test('what a period cannot be is left out', () => {
  assert.deepEqual(parse('#/figures/points?by=year&from=soon&to=2026-01-31'), {
    at: 'figures',
    figure: 'points',
    period: { to: '2026-01-31' },
  });
});

test('a name in an address is one part of it, whatever it holds', () => {
  const route = { at: 'member', member: 'a/b?c#d%', tab: 'history' } as const;
  assert.deepEqual(parse(format(route)), route);
  assert.deepEqual(parse('#/members/%E0%A4%A'), { at: 'member', member: '%E0%A4%A', tab: 'overview' });
});
