import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify, hasCheckDigit, parseRanges } from './codes.ts';

const PHONE = `7001${'0123456789'.repeat(20)}`.slice(0, 199);
const PLASTIC = [{ from: '2999000000000', to: '2999999999999' }];
const wide = (text: string) => text.replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - 0x30 + 0xff10));

const TABLE: [string, string, string, string][] = [
  ['a phone', PHONE, 'member', 'phone'],
  ['a phone behind an AIM identifier', `]Q1${PHONE}\r\n`, 'member', 'phone'],
  ['the same from a JIS layout', `[Q1${PHONE}`, 'member', 'phone'],
  ['a phone in full width', ` ${wide(PHONE)}\t`, 'member', 'phone'],
  ['a phone that lacks a digit', PHONE.slice(0, 198), 'other', 'shape'],
  ['a phone with a digit too many', `${PHONE}1`, 'other', 'shape'],
  ['a short code', '70021234567890123456', 'member', 'short_code'],
  ['a short code behind an AIM identifier', ']C170021234567890123456', 'member', 'short_code'],
  ['a wallet pass', '700312345678901287654321', 'member', 'wallet_pass'],
  ['a plastic card of the range', '2999123456789', 'member', 'plastic'],
  ['a number beside the range', '2998123456789', 'product', 'in_store'],
  ['JAN-13', '4901234567894', 'product', 'ean13'],
  ['JAN-13 misread', '4901234567890', 'other', 'check_digit'],
  ['JAN-8', '49123456', 'product', 'ean8'],
  ['EAN-8', '96385074', 'product', 'ean8'],
  ['UPC-A', '036000291452', 'product', 'upc_a'],
  ['an in-store code without a check digit', '2012345678901', 'product', 'in_store'],
  ['the shop’s own number', 'AB-12', 'product', 'in_store'],
  ['words', 'hello', 'other', 'shape'],
  ['nothing', '', 'other', 'shape'],
  ['markup', '<img src=x>', 'other', 'shape'],
];

for (const [name, text, kind, detail] of TABLE) {
  test(`codes: ${name}`, () => {
    const code = classify(text, PLASTIC, (sku) => sku === 'AB-12' || sku === '49123456');
    assert.equal(code.kind, kind);
    assert.equal(code.kind === 'other' ? code.why : code.form, detail);
  });
}

test('codes: the text of a member code is digits alone', () => {
  assert.equal(classify(`]Q1${wide(PHONE)}\r\n`).text, PHONE);
});

test('codes: every single misread digit of a JAN breaks its check digit', () => {
  const good = '4901234567894';
  for (let place = 0; place < good.length; place += 1) {
    for (let digit = 0; digit < 10; digit += 1) {
      const read = good.slice(0, place) + digit + good.slice(place + 1);
      assert.equal(hasCheckDigit(read), read === good, read);
    }
  }
});

test('codes: ranges of plastic cards as a person writes them', () => {
  assert.deepEqual(parseRanges('2999000000000 - 2999999999999\n\n'), { ranges: PLASTIC });
  for (const wrong of ['12345', '100000-99999', '200000-100000', 'abc'])
    assert.deepEqual(parseRanges(wrong), { wrong });
});
