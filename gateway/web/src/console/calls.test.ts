import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALLS, changes, namedCall, shape, target } from './calls.ts';

test('places are written into the address, each as one part', () => {
  assert.deepEqual(target('revokeCard', { member: '123', card: 'a/b' }), {
    method: 'POST',
    path: '/v1/admin/members/123/cards/a%2Fb/revoke',
  });
  assert.throws(() => target('why', { member: '123' }), /why needs entry/);
  assert.throws(() => target('member', { member: '' }), /member needs member/);
});

test('what is not asked for is not in the query', () => {
  assert.equal(
    target('history', { member: '1' }, { before: undefined, limit: 20 }).path,
    '/v1/admin/members/1/history?limit=20',
  );
  assert.equal(target('deadLetters', {}, { shop_id: '', after: null }).path, '/v1/admin/dead-letters');
  assert.equal(target('figure', { figure: 'points' }, { by: 'day' }).path, '/v1/admin/figures/points?by=day');
});

test('calls are told apart by their shape, not by the names of their places', () => {
  assert.equal(shape('POST /v1/admin/members/{id}/block'), shape(CALLS.block));
  assert.equal(new Set(Object.values(CALLS).map(shape)).size, Object.keys(CALLS).length);
  assert.equal(namedCall('POST /v1/admin/proposals/{id}/approve'), 'approve');
  assert.equal(namedCall('POST /v1/admin/elsewhere'), undefined);
});

test('what is only looked at may be asked again, what changes something may not', () => {
  assert.deepEqual(
    (['search', 'mergePreview', 'unmergePreview', 'member', 'figure'] as const).filter((name) => changes(name)),
    [],
  );
  for (const name of ['adjust', 'erase', 'merge', 'rotateClient', 'replay', 'approve'] as const) {
    assert.ok(changes(name), name);
  }
});
