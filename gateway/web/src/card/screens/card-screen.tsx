// The card itself: the code, what it may spend, the balance. Everything a thumb needs is below the code.

import { useEffect, useState } from 'preact/hooks';
import { integer } from '../../kit/format.ts';
import { Qr } from '../../kit/qr.tsx';
import { happening } from '../live.ts';
import { text } from '../rotation.ts';
import { card, me, online, phone_ahead_ms, trust } from '../session.ts';
import { useWakeLock } from '../wake-lock.ts';
import { words } from '../words.ts';
import { useHeading } from './frame.tsx';
import { Happening } from './happening.tsx';
import { Ring } from './ring.tsx';
import { ShortCode } from './short-code.tsx';
import { Spend } from './spend.tsx';

export function CardScreen() {
  const all = words();
  const [short, setShort] = useState(false);
  useWakeLock();
  const heading = useHeading();
  useEffect(() => {
    document.title = all.title;
  }, [all.title]);
  // The short code was used, or the card: what happened lies over the card, and a dialog would hide it.
  useEffect(() => {
    if (happening.value) setShort(false);
  }, [happening.value]);
  const number = card.value?.member_no ?? '';
  return (
    <main class="card-screen">
      <header class="card-head">
        <h1 ref={heading} tabIndex={-1}>
          {card.value?.programme_name || all.title}
        </h1>
        <p class="number">{all.card.number(grouped(number))}</p>
      </header>
      <Notes />
      <div class="code">
        {text.value ? (
          <Qr text={text.value} label={all.card.qr} />
        ) : (
          <p class="making" role="status">
            {all.card.making}
          </p>
        )}
      </div>
      <div class="under">
        <Ring />
        <button type="button" onClick={() => setShort(true)}>
          {all.short.open}
        </button>
      </div>
      <Spend />
      <Balance />
      <p class="hint">{all.card.shared}</p>
      {short && <ShortCode onClose={() => setShort(false)} />}
      {happening.value && <Happening notice={happening.value} />}
    </main>
  );
}

/** In fours, as people read numbers aloud. */
function grouped(number: string): string {
  return number.replace(/(.{4})(?=.)/g, '$1 ');
}

const SHOWN_FROM_MS = 60_000;

function Notes() {
  const { note, card: of } = words();
  const now = me.value?.me;
  const ahead = phone_ahead_ms.value;
  const minutes = Math.max(1, Math.round(Math.abs(ahead) / 60_000));
  return (
    <div class="notes" role="status">
      {!online.value && <p class="note">{note.offline}</p>}
      {trust.value === 'unsure' && <p class="note warn">{note.unsure}</p>}
      {trust.value !== 'unsure' && Math.abs(ahead) >= SHOWN_FROM_MS && (
        <p class="note">{ahead > 0 ? note.ahead(minutes) : note.behind(minutes)}</p>
      )}
      {now?.status === 'blocked' && <p class="note bad">{of.blocked}</p>}
      {now?.earn_only_until && <p class="note warn">{of.earnsOnly(now.earn_only_until)}</p>}
    </div>
  );
}

function Balance() {
  const { card: of } = words();
  const known = me.value;
  if (!known) return null;
  const { available, pending, held, owed, expiring } = known.me.points;
  const next = expiring[0];
  return (
    <section class="panel balance" aria-label={of.available}>
      <div class="row apart">
        <h2>{of.available}</h2>
        <span class="hint">{of.rank(known.me.rank)}</span>
      </div>
      <p class="big number" data-balance={available}>
        {integer(available)}
      </p>
      {!online.value && <p class="hint">{of.asOf(known.at)}</p>}
      {held > 0 && <p>{of.held(held)}</p>}
      {pending > 0 && <p>{of.pending(pending)}</p>}
      {owed > 0 && <p>{of.owed(owed)}</p>}
      {next && <p>{of.expires(next.on, next.points)}</p>}
    </section>
  );
}
