// Messages of shops that could not be processed, and trying them again: one, all of a shop, or all.

import { useState } from 'preact/hooks';
import { integer } from '../../kit/format.ts';
import type { DeadLetter, Maybe } from '../answers.ts';
import { Change } from '../parts/change.tsx';
import { TextField } from '../parts/field.tsx';
import { PagesFoot, usePages } from '../parts/pages.tsx';
import { At, Id } from '../parts/pieces.tsx';
import { Table } from '../parts/table.tsx';
import { tell } from '../place.ts';
import { ask, may } from '../session.ts';
import { shell } from '../words/shell.ts';
import { watch as words } from '../words/watch.ts';

type Which = { message_id: string } | { shop_id: string } | { all: true };
const PAGE_LETTERS = 50;

function titleOf(which: Which): string {
  const w = words();
  if ('message_id' in which) return w.replayOf(which.message_id);
  return 'shop_id' in which ? w.replayShop(which.shop_id) : w.replayAll;
}

export interface DeadLettersProps {
  /** How many there are; another count is another list. */
  dead: number;
  reread: () => void;
}

export function DeadLetters({ dead, reread }: DeadLettersProps) {
  const w = words();
  const [shop, setShop] = useState('');
  const [which, setWhich] = useState<Which>();
  const shop_id = shop.trim();
  const pages = usePages<DeadLetter>(`${dead} ${shop_id}`, async (after, signal) => {
    const query = { shop_id, after, limit: PAGE_LETTERS };
    const page = await ask<{ dead_letters: DeadLetter[]; next?: Maybe<string> }>('deadLetters', {}, { query, signal });
    return { rows: page.dead_letters, next: page.next };
  });
  const both = () => {
    void pages.reload();
    reread();
  };
  const some = (pages.rows?.length ?? 0) > 0;
  return (
    <section class="panel">
      <div class="row apart">
        <h2>{w.deadTitle}</h2>
        {may('replay') && some && (
          <button type="button" onClick={() => setWhich(shop_id ? { shop_id } : { all: true })}>
            {shop_id ? w.replayShop(shop_id) : w.replayAll}
          </button>
        )}
      </div>
      <p class="hint">{w.deadLead}</p>
      <div class="narrow">
        <TextField label={w.shopFilter} value={shop} change={setShop} placeholder={w.allShops} />
      </div>
      {pages.rows && <LetterTable letters={pages.rows} replay={setWhich} />}
      <PagesFoot of={pages} />
      {which && (
        <Change
          title={titleOf(which)}
          confirm={w.replay}
          close={() => setWhich(undefined)}
          reread={both}
          perform={(reason) => ask<{ replayed: number }>('replay', {}, { body: { ...which, reason } })}
          done={({ replayed }) => {
            tell(w.replayed(replayed));
            both();
          }}
        >
          <p>{w.replayLead}</p>
        </Change>
      )}
    </section>
  );
}

function LetterTable({ letters, replay }: { letters: DeadLetter[]; replay: (which: Which) => void }) {
  const w = words();
  return (
    <Table
      caption={w.deadTitle}
      rows={letters}
      keyOf={(letter) => letter.message_id}
      columns={[
        { name: w.message, heads: true, cell: (letter) => <Id id={letter.message_id} /> },
        { name: shell().shop, cell: (letter) => letter.shop_id },
        { name: w.topic, cell: (letter) => letter.topic },
        { name: w.received, cell: (letter) => <At at={letter.received_at} /> },
        { name: w.attempts, number: true, cell: (letter) => integer(letter.attempts) },
        { name: w.error, wide: true, cell: (letter) => letter.error || '—' },
        {
          name: shell().act,
          cell: (letter) =>
            may('replay') ? (
              <button
                type="button"
                class="small"
                aria-label={w.replayOf(letter.message_id)}
                onClick={() => replay({ message_id: letter.message_id })}
              >
                {w.replay}
              </button>
            ) : (
              '—'
            ),
        },
      ]}
    />
  );
}
