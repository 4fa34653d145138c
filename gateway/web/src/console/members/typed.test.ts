import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listed, wholePoints } from './amount.ts';
import { clueBody, isNumber } from './clue.ts';
import { exportName, profileLines } from './personal.ts';

test('points are whole, at least one, in any digits', () => {
  for (const [text, points] of [
    ['500', 500],
    [' 1,500 ', 1500],
    ['５００', 500],
    ['0', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['1,50', undefined],
    ['', undefined],
    ['1e3', undefined],
    ['99999999999999999999', undefined],
  ] as const) {
    assert.equal(wholePoints(text), points, text);
  }
});

test('lists are split at commas of both scripts', () => {
  assert.deepEqual(listed(' store-1, store-2、store-3，'), ['store-1', 'store-2', 'store-3']);
  assert.deepEqual(listed(' '), []);
});

test('a search asks for one thing only', () => {
  assert.deepEqual(clueBody('number', '１２３４-5678 9015', ''), { number: '123456789015' });
  assert.deepEqual(clueBody('kana', 'ヤマダ ハナコ', ''), { kana: 'ヤマダ ハナコ' });
  assert.deepEqual(clueBody('kana', 'ヤマダ', '1990-04-01'), { kana: 'ヤマダ', birthday: '1990-04-01' });
  assert.deepEqual(clueBody('customer', 'shop-1', '4711'), { shop_id: 'shop-1', customer_id: '4711' });
  assert.deepEqual(clueBody('email', ' a@example.jp ', ''), { email: 'a@example.jp' });
  assert.ok(isNumber('1234 5678 9015'));
  assert.ok(!isNumber('12345'));
});

test('personal data is shown in reading order, without what is not told', () => {
  const lines = profileLines({ phone: '+81', consents: { mail: true }, email: null, name: 'A', kana: '' });
  assert.deepEqual(lines, [
    ['name', 'A'],
    ['phone', '+81'],
    ['consents', '{"mail":true}'],
  ]);
  assert.equal(exportName('123456789015'), 'member-123456789015.json');
});
