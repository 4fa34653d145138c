import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integer, points, signed, yen } from './format.ts';
import { dictionaries, language, preferred } from './i18n.ts';

test('the first language that is Japanese or English counts, else Japanese', () => {
  for (const [languages, expected] of [
    [['ja-JP', 'en'], 'ja'],
    [['en-US', 'ja'], 'en'],
    [['fr', 'en-GB'], 'en'],
    [['zh-Hant', 'ko'], 'ja'],
    [[], 'ja'],
  ] as const) {
    assert.equal(preferred(languages), expected, languages.join());
  }
});

test('words and numbers follow the language', () => {
  const words = dictionaries(
    { hello: 'こんにちは', left: (count: number) => `あと${count}` },
    { hello: 'Hello', left: (count) => `${count} left` },
  );
  language.value = 'ja';
  assert.deepEqual([words().hello, words().left(3), points(1200)], ['こんにちは', 'あと3', '1,200 ポイント']);
  assert.equal(yen(1080), '1,080円');
  language.value = 'en';
  assert.deepEqual(
    [words().hello, words().left(3), points(1), yen(1200), integer(1200)],
    ['Hello', '3 left', '1 point', '¥1,200', '1,200'],
  );
  assert.deepEqual([signed(-50), signed(120), signed(0)], ['−50', '+120', '0']);
});
