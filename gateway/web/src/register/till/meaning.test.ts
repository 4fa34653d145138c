import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Meaning, meaningOf } from './meaning.ts';

/** Status, problem, whether the request was posted → what it means. */
const TABLE: [number, string, boolean, Meaning['is']][] = [
  [200, '', true, 'answer'],
  [200, '', false, 'answer'],
  [400, 'malformed_json', true, 'refused'],
  [400, '', true, 'operator'],
  [401, 'invalid_token', true, 'operator'],
  [403, 'insufficient_scope', true, 'operator'],
  [404, 'unknown_resource', false, 'not_there'],
  [404, 'unknown_resource', true, 'operator'],
  [404, '', false, 'operator'],
  [405, '', true, 'operator'],
  [408, 'body_timeout', true, 'broken_off'],
  [409, 'in_progress', true, 'running'],
  [413, 'body_too_large', true, 'refused'],
  [415, 'unsupported_media_type', true, 'refused'],
  [422, 'validation_failed', true, 'refused'],
  [422, 'validation_failed', false, 'operator'],
  [422, 'request_id_reused', true, 'taken'],
  [429, 'rate_limited', true, 'hold'],
  [429, '', true, 'hold'],
  [500, 'fault', true, 'fault'],
  [502, '', true, 'cannot'],
  [503, 'overloaded', true, 'cannot'],
  [503, 'outcome_unknown', true, 'cannot'],
  [504, '', true, 'cannot'],
  [302, '', true, 'operator'],
];

for (const [status, word, sent, expected] of TABLE) {
  test(`meaning: ${status} ${word} to a ${sent ? 'request' : 'question'}`, () => {
    const body = word === '' ? undefined : { type: `https://gateway/problems/${word}` };
    assert.equal(meaningOf({ reply: 'http', status, body }, sent).is, expected);
  });
}
