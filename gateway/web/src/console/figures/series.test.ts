import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Figure } from '../answers.ts';
import { chart, csvName, periods } from './series.ts';

function figure(name: string, columns: string[], rows: Figure['rows'], more: Partial<Figure> = {}): Figure {
  const kinds: Record<string, string> = { period: 'period', yen: 'yen', rate: 'rate', total_rate: 'rate' };
  const texts = ['channel', 'place', 'place_name', 'first_channel', 'first_place', 'age', 'expires_in'];
  return {
    figure: name,
    definition: '',
    by: 'month',
    from: '2026-01-01',
    to: '2026-03-31',
    generated_at: '2026-04-01T00:00:00Z',
    columns: columns.map((column) => ({
      name: column,
      kind: kinds[column] ?? (texts.includes(column) ? 'text' : 'count'),
    })),
    rows,
    ...more,
  };
}

test('every period of the range has its place, across the turn of a year and a month', () => {
  assert.deepEqual(periods('month', '2025-11-05', '2026-02-01', []), [
    ['2025-11'],
    ['2025-12'],
    ['2026-01'],
    ['2026-02'],
  ]);
  assert.deepEqual(periods('day', '2026-02-27', '2026-03-01', []), [['2026-02-27'], ['2026-02-28'], ['2026-03-01']]);
  assert.deepEqual(periods('month', '2026-02-01', '2026-01-01', ['2025-12']), [['2025-12']]);
});

test('each measure of a figure over time is a line', () => {
  const answer = figure(
    'points',
    ['period', 'granted', 'used', 'expired'],
    [
      ['2026-01', 10, 1, 0],
      ['2026-03', 30, 3, 2],
    ],
  );
  const drawn = chart('points', answer, 'granted');
  assert.deepEqual(drawn.labels, [['2026-01'], ['2026-02'], ['2026-03']]);
  assert.deepEqual(drawn.series.slice(0, 3), [
    { name: ['granted'], values: [10, 0, 30] },
    { name: ['used'], values: [1, 0, 3] },
    { name: ['expired'], values: [0, 0, 2] },
  ]);
});

test('each place is a line of the measure that was chosen, the largest first', () => {
  const columns = ['period', 'channel', 'place', 'place_name', 'members', 'purchases', 'yen'];
  const answer = figure('activity', columns, [
    ['2026-01', 'store', 's1', 'One', 1, 2, 300],
    ['2026-02', 'store', 's1', 'One', 2, 3, 400],
    ['2026-02', 'shop', 's2', 'Two', 9, 9, 200],
  ]);
  const members = chart('activity', answer, 'members');
  assert.deepEqual(
    members.series.map((one) => [one.name[2], one.values]),
    [
      ['Two', [0, 9, 0]],
      ['One', [1, 2, 0]],
    ].map(([name, values]) => [name, values]),
  );
  const yen = chart('activity', answer, 'yen');
  assert.deepEqual([yen.kind, yen.series[0]?.values], ['yen', [300, 400, 0]]);
});

test('a rate that nothing divides is missing, not zero', () => {
  const answer = figure(
    'redemption',
    ['period', 'rate', 'total_rate'],
    [
      ['2026-01', null, 0.5],
      ['2026-02', 0.25, 0.4],
    ],
  );
  const drawn = chart('redemption', answer, 'rate');
  assert.equal(drawn.kind, 'rate');
  assert.deepEqual(drawn.series.find((one) => one.name[0] === 'rate')?.values, [null, 0.25, null]);
});

test('the cross table is bars: where people came first, by where they bought', () => {
  const answer = figure(
    'channels',
    ['first_channel', 'first_place', 'channel', 'place', 'members'],
    [
      ['store', 's1', 'store', 's1', 5],
      ['store', 's1', 'shop', 's2', 2],
      ['shop', 's2', 'shop', 's2', 4],
    ],
  );
  const drawn = chart('channels', answer, 'members');
  assert.deepEqual(drawn.labels, [
    ['store', 's1'],
    ['shop', 's2'],
  ]);
  assert.deepEqual(drawn.series, [
    { name: ['store', 's1'], values: [5, 0] },
    { name: ['shop', 's2'], values: [2, 4] },
  ]);
});

test('no more lines than can be told apart, and what is left out is counted', () => {
  const rows = Array.from({ length: 10 }, (_, index) => ['2026-01', 'store', `s${index}`, '', index, 0, 0]);
  const columns = ['period', 'channel', 'place', 'place_name', 'members', 'purchases', 'yen'];
  const drawn = chart('activity', figure('activity', columns, rows), 'members');
  assert.deepEqual([drawn.series.length, drawn.left_out, drawn.series[0]?.name[1]], [7, 3, 's9']);
});

test('a file is named by its figure and its range, and by nothing that a file name cannot hold', () => {
  const answer = { figure: 'points', by: 'month', from: '2026-01-01', to: '2026-03-31' };
  assert.equal(csvName(answer, true), 'points_month_2026-01-01_2026-03-31.csv');
  assert.equal(csvName({ ...answer, figure: 'liability-age' }, false), 'liability-age.csv');
  assert.equal(csvName({ ...answer, figure: '../x"y' }, false), 'xy.csv');
});
