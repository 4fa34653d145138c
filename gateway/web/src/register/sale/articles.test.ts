import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify } from '../scan/codes.ts';
import { DEMO_ARTICLES, parseArticles, writeArticles } from './articles.ts';

const HEAD = 'sku,name,category,price,tax_rate';
const tea = { sku: '49', name: 'Tea, "green"\nbig', category: 'food', price: 151, taxRate: 8 as const };

test('articles: what is written is read again', () => {
  assert.deepEqual(parseArticles(writeArticles([...DEMO_ARTICLES, tea])), { articles: [...DEMO_ARTICLES, tea] });
});

test('articles: columns in any order, per cent signs, CRLF and a byte-order mark', () => {
  const file = '\uFEFFprice,sku,tax_rate,name,category\r\n100,A,10%,Cup,\r\n\r\n';
  assert.deepEqual(parseArticles(file), {
    articles: [{ sku: 'A', name: 'Cup', category: 'other', price: 100, taxRate: 10 }],
  });
});

const WRONG: [string, string, number, string][] = [
  ['no header', '1,2,3', 1, 'header'],
  ['nothing', '', 1, 'header'],
  ['a missing column', `${HEAD}\nA,b,c,1`, 2, 'columns'],
  ['a price with a fraction', `${HEAD}\nA,b,c,1.5,8`, 2, 'price'],
  ['no price', `${HEAD}\nA,b,c,0,8`, 2, 'price'],
  ['another rate', `${HEAD}\nA,b,c,1,9`, 2, 'tax_rate'],
  ['an article twice', `${HEAD}\nA,b,c,1,8\nA,b,c,1,8`, 3, 'sku'],
];
for (const [name, file, line, wrong] of WRONG) {
  test(`articles: ${name} is named with its line`, () => assert.deepEqual(parseArticles(file), { line, wrong }));
}

test('articles: no cell is a formula', () => {
  assert.match(writeArticles([{ ...tea, name: '=HYPERLINK("x")' }]), /"'=HYPERLINK/);
});

test('articles: each of the demo scans as a product', () => {
  for (const { sku } of DEMO_ARTICLES) assert.equal(classify(sku).kind, 'product', sku);
});
