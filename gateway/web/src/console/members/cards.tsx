// The cards of a person, and taking one out for ever.

import { useState } from 'preact/hooks';
import type { Card, Person } from '../answers.ts';
import { Change } from '../parts/change.tsx';
import { At, Badge } from '../parts/pieces.tsx';
import { Table } from '../parts/table.tsx';
import { tell } from '../place.ts';
import { ask, may } from '../session.ts';
import { term } from '../terms.ts';
import { member as words } from '../words/members.ts';
import { shell } from '../words/shell.ts';
import { numberOf } from './show.tsx';

export function Cards({ person, reread }: { person: Person; reread: () => void }) {
  const w = words();
  const [revoking, setRevoking] = useState<Card>();
  return (
    <section class="panel">
      <h2>{w.cards}</h2>
      <Table
        caption={w.cards}
        rows={person.cards}
        keyOf={(card) => card.card_id}
        columns={[
          { name: w.card, heads: true, cell: (card) => <code>{card.card_id}</code> },
          { name: w.kind, cell: (card) => term('cardKind', card.kind) },
          { name: w.name, wide: true, cell: (card) => card.name || '—' },
          { name: shell().status, cell: (card) => <Badge kind="cardStatus" word={card.status} /> },
          { name: w.enrolled, cell: (card) => <At at={card.enrolled_at} /> },
          { name: w.revokedAt, cell: (card) => <At at={card.revoked_at} /> },
          { name: w.record, cell: (card) => numberOf(person, card.member_id) },
          {
            name: shell().act,
            cell: (card) =>
              may('revokeCard') && card.status === 'active' ? (
                <button
                  type="button"
                  class="danger small"
                  aria-label={w.revokeTitle(card.card_id)}
                  onClick={() => setRevoking(card)}
                >
                  {w.revoke}
                </button>
              ) : (
                '—'
              ),
          },
        ]}
      />
      {revoking && (
        <Change
          title={w.revokeTitle(revoking.card_id)}
          confirm={w.revoke}
          danger
          close={() => setRevoking(undefined)}
          reread={reread}
          perform={(reason) =>
            ask<{ changed: boolean }>(
              'revokeCard',
              { member: person.member_no, card: revoking.card_id },
              { body: { reason } },
            )
          }
          done={({ changed }) => {
            tell(changed ? w.revoked : w.wasRevoked);
            reread();
          }}
        >
          <p class="note warn">{w.revokeLead}</p>
        </Change>
      )}
    </section>
  );
}
