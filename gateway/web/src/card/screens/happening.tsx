// What just happened at the till, over the card, until the shopper has seen it. The next thing that happens replaces it.

import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { announce } from '../../kit/announce.tsx';
import { integer, points, yen } from '../../kit/format.ts';
import type { Notice } from '../happenings.ts';
import { happening } from '../live.ts';
import { me, storeName } from '../session.ts';
import { words } from '../words.ts';

export function Happening({ notice }: { notice: Notice }) {
  const { happened, kinds } = words();
  const known = me.value;
  // The balance is shown once it is of after what happened.
  const fresh = known && Date.parse(known.at) >= Date.parse(notice.at);
  const back = notice.kind === 'refund' || notice.kind === 'undone';
  useEffect(() => {
    announce(`${kinds[notice.kind]} ${summary(notice).join(' ')}`);
  }, [notice.id]);
  return (
    <section class="happening" aria-label={happened.label} data-kind={notice.kind}>
      <h2>{kinds[notice.kind]}</h2>
      <dl>
        {notice.points !== undefined && <Row name="">{points(notice.points)}</Row>}
        {notice.used !== undefined && <Row name={back ? happened.restored : happened.used}>{integer(notice.used)}</Row>}
        {notice.earned !== undefined && (
          <Row name={back ? happened.clawed : happened.earned}>{integer(notice.earned)}</Row>
        )}
        <Row name={happened.balance}>{fresh ? <strong>{integer(known.me.points.available)}</strong> : '…'}</Row>
      </dl>
      {notice.pending ? <p class="hint">{happened.later(notice.pending)}</p> : null}
      <p class="hint">
        {notice.store && storeName(notice.store)}{' '}
        {notice.receipt && notice.total !== undefined && happened.receipt(notice.receipt, yen(notice.total))}
      </p>
      <button
        type="button"
        class="primary"
        onClick={() => {
          happening.value = undefined;
        }}
      >
        {happened.done}
      </button>
    </section>
  );
}

function Row({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="row apart">
      <dt>{name}</dt>
      <dd class="number">{children}</dd>
    </div>
  );
}

/** The numbers of a notice in a few words. */
export function summary(notice: Notice): string[] {
  const { numbers } = words();
  const back = notice.kind === 'refund' || notice.kind === 'undone';
  return [
    notice.total === undefined ? '' : yen(notice.total),
    notice.used ? (back ? numbers.restored : numbers.used)(notice.used) : '',
    notice.earned ? (back ? numbers.clawed : numbers.earned)(notice.earned) : '',
    notice.points === undefined ? '' : points(notice.points),
  ].filter((text) => text !== '');
}
