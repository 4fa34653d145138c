// Small things that many screens show: a state, a list of facts, a link to a member, an instant.

import type { ComponentChildren } from 'preact';
import { instant } from '../../kit/format.ts';
import { format, type Tab } from '../routes.ts';
import { type TermKind, term } from '../terms.ts';

const GOOD = new Set(['active', 'done', 'approved', 'ok']);
const BAD = new Set(['blocked', 'revoked', 'refused', 'failed', 'erased', 'expired', 'disabled']);

/** A state as a word on a coloured ground; the word alone tells it. */
export function Badge({ kind, word }: { kind: TermKind; word: string }) {
  const tone = GOOD.has(word) ? 'good' : BAD.has(word) ? 'bad' : 'warn';
  return <span class={`badge ${tone}`}>{term(kind, word)}</span>;
}

export function MemberLink({ member, tab = 'overview' }: { member: string; tab?: Tab }) {
  return (
    <a class="number" href={format({ at: 'member', member, tab })}>
      {member}
    </a>
  );
}

export function At({ at }: { at: string | null | undefined }) {
  return at ? (
    <time class="still" dateTime={at}>
      {instant(at)}
    </time>
  ) : (
    <>—</>
  );
}

export function Facts({ of }: { of: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** An id, short where it only tells rows apart, whole for who asks. */
export function Id({ id }: { id: string }) {
  return (
    <code class="id" title={id}>
      {id.length > 20 ? `…${id.slice(-8)}` : id}
    </code>
  );
}
