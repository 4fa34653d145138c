// What is handed over: cash with its change, or something else that has its own machine.

import { useRef, useState } from 'preact/hooks';
import { yen } from '../../kit/format.ts';
import { complete } from '../checkout.ts';
import type { Register } from '../register.ts';
import { due, type Tender } from '../sale/draft.ts';
import { words } from '../words.ts';
import { useFocusInDialog } from './focus.ts';
import { Digits } from './sale.tsx';

export function Payment({ register, onClose }: { register: Register; onClose: () => void }) {
  const owed = due(register.draft.value);
  const [tender, setTender] = useState<Tender>('cash');
  const [typed, setTyped] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useFocusInDialog(field, tender);
  const text = words().pay;
  const received = tender === 'other' || typed === '' ? owed : Number(typed.normalize('NFKC').replace(/[,\s]/g, ''));
  const isAmount = Number.isSafeInteger(received) && received >= 0;
  const change = isAmount ? received - owed : Number.NaN;
  const busy = register.asking.value !== undefined;
  const message = register.message.value;
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (change >= 0) void complete(register, tender, received);
      }}
    >
      <p class="owed number">{yen(owed)}</p>
      <fieldset class="row">
        <legend class="unseen">{text.title}</legend>
        {(['cash', 'other'] as const).map((each) => (
          <label key={each} class="row choice">
            <input type="radio" name="tender" checked={tender === each} onChange={() => setTender(each)} />
            {text[each]}
          </label>
        ))}
      </fieldset>
      {tender === 'cash' && (
        <>
          <label class="field">
            <span>{text.received}</span>
            <input
              class="number"
              type="text"
              inputMode="numeric"
              autocomplete="off"
              placeholder={String(owed)}
              value={typed}
              ref={field}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
          <div class="row stretch">
            {notes(owed).map((note) => (
              <button key={note} type="button" onClick={() => setTyped(String(note))}>
                {yen(note)}
              </button>
            ))}
          </div>
          <Digits onDigit={(digit) => setTyped(typed + digit)} onClear={() => setTyped('')} />
          <p class="change number" role="status">
            {change >= 0 ? `${text.change} ${yen(change)}` : text.short(yen(isAmount ? -change : owed))}
          </p>
        </>
      )}
      {message && <p class={`note ${message.tone}`}>{message.text()}</p>}
      <div class="row stretch">
        <button type="button" disabled={busy} onClick={onClose}>
          {words().back}{' '}
          <span class="key" aria-hidden="true">
            Esc
          </span>
        </button>
        <button type="submit" class="primary" disabled={busy || !(change >= 0)}>
          {busy ? words().working : text.done}{' '}
          <span class="key" aria-hidden="true">
            Enter
          </span>
        </button>
      </div>
    </form>
  );
}

/** What shoppers hand over for this: the next round amounts. */
function notes(owed: number): number[] {
  const round = [1_000, 5_000, 10_000].map((note) => Math.ceil(owed / note) * note);
  return [...new Set(round)].filter((note) => note > owed);
}
