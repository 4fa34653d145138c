import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patterns, widths } from './code-128.tsx';

test('the table is that of Code 128', () => {
  const all = patterns();
  assert.equal(all.length, 107);
  assert.equal(new Set(all).size, 107);
  for (const [value, pattern] of all.entries()) {
    const modules = [...pattern].map(Number);
    const sum = (of: number[]): number => of.reduce((total, width) => total + width, 0);
    const bars = sum(modules.filter((_, index) => index % 2 === 0));
    assert.equal(sum(modules), value === 106 ? 13 : 11, `value ${value}`);
    // Every character has an even number of dark modules.
    assert.equal(bars % 2, 0, `value ${value}`);
  }
});

test('a text is start C, its pairs, the checksum and stop', () => {
  const all = patterns();
  // 105 + 12·1 + 34·2 + 56·3 = 353 = 3·103 + 44
  const expected = [105, 12, 34, 56, 44, 106].map((value) => all[value]).join('');
  assert.equal(widths('123456').join(''), expected);
  for (const wrong of ['', '1', '123', '12a4', '１２']) assert.throws(() => widths(wrong), RangeError);
});
