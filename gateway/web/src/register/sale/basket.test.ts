import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Article,
  add,
  addFree,
  type Basket,
  EMPTY,
  remove,
  setQuantity,
  type TaxRate,
  taxIn,
  totals,
} from './basket.ts';

const tea: Article = { sku: '4901234567894', name: '緑茶', category: 'drink', price: 151, taxRate: 8 };
const cup: Article = { sku: '4900000000028', name: 'カップ', category: 'household', price: 999, taxRate: 10 };

/** Lines as [price, quantity, rate] → total, tax at 8 %, tax at 10 %. */
const TABLE: [string, [number, number, TaxRate][], number, number, number][] = [
  ['nothing', [], 0, 0, 0],
  ['1 yen', [[1, 1, 10]], 1, 0, 0],
  ['10 yen hold no whole yen of tax', [[10, 1, 10]], 10, 0, 0],
  ['11 yen hold one', [[11, 1, 10]], 11, 0, 1],
  ['108 at 8 %', [[108, 1, 8]], 108, 8, 0],
  ['107 at 8 %', [[107, 1, 8]], 107, 7, 0],
  [
    'rounded per rate, not per line',
    [
      [10, 1, 10],
      [10, 1, 10],
    ],
    20,
    0,
    1,
  ],
  [
    'both rates',
    [
      [540, 2, 8],
      [1100, 1, 10],
    ],
    2180,
    80,
    100,
  ],
  [
    'many lines of both',
    [
      [151, 3, 8],
      [999, 1, 10],
      [33, 7, 8],
      [1, 1, 10],
    ],
    1684,
    50,
    90,
  ],
  ['the most a line may be', [[9_999_999, 999, 10]], 9_989_999_001, 0, 908_181_727],
];

for (const [name, lines, total, at8, at10] of TABLE) {
  test(`basket: ${name}`, () => {
    const sums = totals(lines.map(([price, quantity, taxRate]) => ({ price, quantity, taxRate })));
    const tax = (rate: TaxRate) => sums.split.find(({ taxRate }) => taxRate === rate)?.tax ?? 0;
    assert.deepEqual([sums.total, tax(8), tax(10), sums.tax], [total, at8, at10, at8 + at10]);
  });
}

test('basket: tax in an amount is the floor of exact arithmetic', () => {
  for (const rate of [8, 10]) {
    for (const total of [0, 1, 107, 108, 109, 1_079, 1_080, 99_999, 9_989_999_001]) {
      const exact = (BigInt(total) * BigInt(rate)) / BigInt(100 + rate);
      assert.equal(taxIn(total, rate), Number(exact), `${total} at ${rate}`);
    }
  }
});

test('basket: the same article is one line, free lines never join', () => {
  const twice = add(add(EMPTY, tea), tea);
  assert.deepEqual(
    twice.lines.map((line) => [line.lineNo, line.quantity]),
    [[1, 2]],
  );
  const free = addFree(addFree(twice, 'あ', 100, 10), 'あ', 100, 10);
  assert.deepEqual(
    free.lines.map((line) => line.lineNo),
    [1, 2, 3],
  );
});

test('basket: a line number is never given twice', () => {
  const basket = add(remove(add(EMPTY, tea), 1), cup);
  assert.deepEqual(
    basket.lines.map((line) => line.lineNo),
    [2],
  );
});

test('basket: quantities stay within their bounds, none removes the line', () => {
  const one = add(EMPTY, tea);
  assert.equal(setQuantity(one, 1, 5_000).lines[0]?.quantity, 999);
  assert.equal(setQuantity(one, 1, 0).lines.length, 0);
});

const REFUSED: [string, number][] = [
  ['zero', 0],
  ['less', -1],
  ['a fraction', 0.5],
  ['too much', 10_000_000],
  ['no number', Number.NaN],
];
for (const [name, price] of REFUSED) {
  test(`basket: an amount of ${name} is no line`, () => {
    assert.deepEqual(addFree(EMPTY, 'x', price, 10), EMPTY as Basket);
  });
}

test('basket: texts come as the gateway takes them', () => {
  const line = addFree(EMPTY, `a\u0000b\n${'会'.repeat(300)}`, 1, 10).lines[0];
  assert.equal([...(line?.name ?? '')].length, 200);
  assert.doesNotMatch(line?.name ?? '', /\p{Cc}/u);
  assert.equal(addFree(EMPTY, ' \t', 1, 10).lines[0]?.name, '-');
});

test('basket: what does not fit any more leaves the basket as it was', () => {
  const most = add(EMPTY, tea, 999);
  assert.equal(add(most, tea), most);
  const free = (count: number): Basket => ({
    lines: Array.from({ length: count }, (_, index) => ({ ...cup, sku: `s${index}`, lineNo: index + 1, quantity: 1 })),
    nextLineNo: count + 1,
  });
  const full = free(1_000);
  assert.equal(add(full, tea), full);
  assert.equal(addFree(full, 'x', 1, 10), full);
  assert.equal(totals(add(full, { ...cup, sku: 's0' }).lines).pieces, 1_001, 'a line that is there takes one more');
});
