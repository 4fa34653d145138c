import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Decision, type Press, Wedge } from './wedge.ts';

const CODE_OF: Record<string, string> = { ']': 'BracketRight', '-': 'Minus', '\n': 'Enter', '\t': 'Tab' };

/** Key presses that type `text`, `gap` milliseconds apart. */
function typed(text: string, gap: number, from = 1000, change: Partial<Press> = {}): Press[] {
  return [...text].map((key, index) => ({
    code: CODE_OF[key] ?? (/[0-9]/.test(key) ? `Digit${key}` : `Key${key.toUpperCase()}`),
    key: key === '\n' ? 'Enter' : key === '\t' ? 'Tab' : key,
    shift: /[A-Z]/.test(key),
    modified: false,
    repeat: false,
    at: from + index * gap,
    ...change,
  }));
}

/** Feeds presses; pauses where one is due. Gives scans, and what reached the page. */
function feed(presses: Press[]): { scans: string[]; page: string } {
  const wedge = new Wedge();
  const scans: string[] = [];
  let page = '';
  let [before, burst] = ['', false];
  const take = (decision: Decision, press?: Press) => {
    if (decision.scan !== undefined) {
      scans.push(decision.scan);
      if (burst) page = before;
    }
    page += decision.giveBack ?? '';
    if (decision.first) [before, burst] = [page, true];
    if (press && !decision.swallow && press.key.length === 1) page += press.key;
  };
  for (const press of presses) {
    const due = wedge.pauseAt;
    if (due !== undefined && due < press.at) take(wedge.pause());
    take(wedge.press(press), press);
  }
  if (wedge.pauseAt !== undefined) take(wedge.pause());
  return { scans, page };
}

const MEMBER = `7001${'5'.repeat(195)}`;

const TABLE: [string, Press[], string[], string][] = [
  ['a member code with CR', typed(`${MEMBER}\n`, 2), [MEMBER], ''],
  ['a product code with TAB', typed('4901234567894\t', 8), ['4901234567894'], ''],
  ['a product code without a suffix', typed('4901234567894', 8), ['4901234567894'], ''],
  ['a slow radio scanner', typed('4901234567894\n', 45), ['4901234567894'], ''],
  ['an AIM identifier', typed(']Q070011234\n', 3), [']Q070011234'], ''],
  [
    'digits behind Shift, as an AZERTY scanner sends them',
    typed('49012345\n', 3, 0, { shift: true }),
    ['49012345'],
    '',
  ],
  [
    'an IME that hides the characters',
    typed('49012345\n', 3).map((press) => (press.code === 'Enter' ? press : { ...press, key: 'Process' })),
    ['49012345'],
    '',
  ],
  [
    'the numeric pad',
    typed('49012345\n', 3).map((press) => ({ ...press, code: press.code.replace('Digit', 'Numpad') })),
    ['49012345'],
    '',
  ],
  ['two scans in a row', [...typed('49012345\n', 3), ...typed('96385074\n', 3, 1100)], ['49012345', '96385074'], ''],
  ['a person who types', typed('1234567890123\n', 90), [], '1234567890123'],
  ['a person whose keys roll', typed('12', 20), [], '12'],
  ['rolling keys, then a pause, then more', [...typed('123', 20), ...typed('45', 120, 2000)], [], '12345'],
  ['a short burst with Enter is a person', typed('1234\n', 20), [], '1234'],
  ['a key that is held down', typed('1111111111', 30, 0, { repeat: true }), [], '1111111111'],
  ['shortcuts', typed('abcdefghij', 5, 0, { modified: true }), [], 'abcdefghij'],
  ['a scan after typing', [...typed('ab', 100), ...typed('49012345\n', 3, 5000)], ['49012345'], 'ab'],
  ['capital letters', typed('AB-123456\n', 4), ['AB-123456'], ''],
];

for (const [name, presses, scans, page] of TABLE) {
  test(`wedge: ${name}`, () => {
    assert.deepEqual(feed(presses), { scans, page });
  });
}

test('wedge: a lone Shift between digits neither ends a scan nor counts', () => {
  const presses = typed('49012345\n', 6).flatMap((press) => [
    { ...press, code: 'ShiftLeft', key: 'Shift', at: press.at - 3 },
    press,
  ]);
  assert.deepEqual(feed(presses).scans, ['49012345']);
});
