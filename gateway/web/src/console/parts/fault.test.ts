import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NoAnswer, Problem } from '../../kit/api.ts';
import { language } from '../../kit/i18n.ts';
import { AnotherPerson, ClientRefused } from '../session.ts';
import { sentence, unknownOutcome } from './fault.tsx';

function problem(status: number, word: string, detail = ''): Problem {
  return new Problem(status, word, detail, new Headers(), 0);
}

test('an outcome is unknown where nobody answered or the answer says so, and only there', () => {
  for (const error of [
    new NoAnswer('deadline'),
    new NoAnswer('network'),
    problem(500, 'fault'),
    problem(503, 'outcome_unknown'),
    // What stands before the gateway may say this after the gateway has begun.
    problem(502, 'unavailable'),
    problem(504, 'unavailable'),
  ]) {
    assert.ok(unknownOutcome(error), error.message);
  }
  for (const error of [
    problem(503, 'overloaded'),
    problem(501, 'not_set_up'),
    problem(422, 'validation_failed'),
    problem(409, 'conflict', 'own_proposal: another person approves'),
    problem(429, 'rate_limited'),
    problem(403, 'role_not_allowed'),
    new AnotherPerson(),
  ]) {
    assert.ok(!unknownOutcome(error), error.message);
  }
});

test('a fault has a sentence in both languages; what is not known is told by its word', () => {
  const told = (error: unknown) =>
    (['ja', 'en'] as const).map((tongue) => {
      language.value = tongue;
      return sentence(error);
    });
  assert.deepEqual(told(problem(409, 'conflict', 'own_proposal: x')), [
    '自分の提案は承認できません。',
    'Nobody approves their own proposal.',
  ]);
  assert.deepEqual(told(problem(409, 'conflict', 'unheard_of: x')), [
    'いまの状態では行えません。',
    'It does not go with how things stand.',
  ]);
  assert.deepEqual(told(problem(418, 'teapot')), ['418 teapot。', '418 teapot.']);
  assert.deepEqual(told(new ClientRefused('invalid_client')), [
    'ID またはシークレットが違います。',
    'The id or the secret is wrong.',
  ]);
  for (const text of told(new NoAnswer('network'))) assert.doesNotMatch(text, /refused|却下|できません/);
});
