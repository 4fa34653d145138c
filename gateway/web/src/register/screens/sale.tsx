// The sale: what was scanned, who buys, what it comes to, and one field for everything that is typed.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Dialog } from '../../kit/dialog.tsx';
import { points, yen } from '../../kit/format.ts';
import type { Action, EntryKeys } from '../keys.ts';
import type { Register } from '../register.ts';
import { amountOf, type Line, remove, setQuantity, type TaxRate, totals } from '../sale/basket.ts';
import { due } from '../sale/draft.ts';
import { words } from '../words.ts';
import { MemberPanel } from './member.tsx';
import { KeyButton } from './open.tsx';

interface SaleProps {
  register: Register;
  entry: { current: EntryKeys | undefined };
  onPress: (action: Action) => void;
}

export function Sale({ register, entry, onPress }: SaleProps) {
  const busy = register.asking.value !== undefined;
  const message = register.message.value;
  return (
    <div class="sale">
      <section class="panel basket" aria-labelledby="basket-title">
        <div class="row apart">
          <h2 id="basket-title">{words().basket.title}</h2>
          <DropBasket register={register} />
        </div>
        <Lines register={register} />
        <Sums register={register} />
      </section>
      <section class="side">
        <MemberPanel register={register} />
        <div class="message" aria-live="off">
          {message && <p class={`note ${message.tone}`}>{message.text()}</p>}
          {busy && <p class="note info">{words().working}</p>}
        </div>
        <Entry register={register} entry={entry} onPress={onPress} />
      </section>
      <div class="actions row stretch">
        <KeyButton action="points" onPress={onPress} disabled={busy} />
        <KeyButton action="pay" onPress={onPress} disabled={busy} />
        <KeyButton action="exact" onPress={onPress} kind="primary" disabled={busy} />
      </div>
    </div>
  );
}

function Lines({ register }: { register: Register }) {
  const { basket } = register.draft.value;
  if (basket.lines.length === 0) return <p class="hint">{words().basket.empty}</p>;
  return (
    <ul class="plain lines">
      {basket.lines.map((line) => (
        <LineRow key={line.lineNo} register={register} line={line} />
      ))}
    </ul>
  );
}

function LineRow({ register, line }: { register: Register; line: Line }) {
  const text = words().basket;
  const change = (quantity: number) => register.change(setQuantity(register.draft.value.basket, line.lineNo, quantity));
  return (
    <li class="line">
      <span class="name">
        {line.name} {line.taxRate === 8 && <span class="reduced">※</span>}
      </span>
      <span class="stepper">
        <button type="button" aria-label={text.less(line.name)} onClick={() => change(line.quantity - 1)}>
          −
        </button>
        <span class="number">{line.quantity}</span>
        <button type="button" aria-label={text.more(line.name)} onClick={() => change(line.quantity + 1)}>
          ＋
        </button>
      </span>
      <span class="number amount">{yen(amountOf(line))}</span>
      <button
        type="button"
        class="quiet"
        aria-label={text.remove(line.name)}
        onClick={() => register.change(remove(register.draft.value.basket, line.lineNo))}
      >
        ×
      </button>
    </li>
  );
}

function Sums({ register }: { register: Register }) {
  const draft = register.draft.value;
  const sums = totals(draft.basket.lines);
  const text = words().basket;
  return (
    <dl class="sums number">
      {sums.split.map((each) => (
        <div key={each.taxRate} class="minor">
          <dt>
            {text.ofWhichTax(each.taxRate)} ({text.tax})
          </dt>
          <dd>
            {yen(each.total)} ({yen(each.tax)})
          </dd>
        </div>
      ))}
      <div>
        <dt>{text.total}</dt>
        <dd>{yen(sums.total)}</dd>
      </div>
      {draft.hold && (
        <div>
          <dt>{text.points}</dt>
          <dd>−{points(draft.hold.points)}</dd>
        </div>
      )}
      <div class="due">
        <dt>{text.due}</dt>
        <dd>{yen(due(draft))}</dd>
      </div>
    </dl>
  );
}

function Entry({ register, entry, onPress }: SaleProps) {
  const [text, setText] = useState('');
  const [name, setName] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const commit = (taxRate: TaxRate): boolean => {
    // What was typed lately may not be drawn yet; the field has it.
    const typed = field.current?.value ?? text;
    if (typed === '') return true;
    if (!register.typed(typed, taxRate, name)) return false;
    setText('');
    setName('');
    return true;
  };
  entry.current = { commit };
  return (
    <form
      class="panel entry"
      onSubmit={(event) => {
        event.preventDefault();
        commit(10);
      }}
    >
      <label class="field" for="entry">
        {words().entry.label}
      </label>
      <input
        id="entry"
        ref={field}
        class="number"
        type="text"
        inputMode="numeric"
        autocomplete="off"
        value={text}
        aria-describedby="entry-hint"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <p id="entry-hint" class="hint">
        {words().entry.hint}
      </p>
      <label class="field">
        <span>{words().entry.name}</span>
        <input type="text" autocomplete="off" value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <div class="row stretch">
        <button type="submit">
          {words().entry.add10}{' '}
          <span class="key" aria-hidden="true">
            Enter
          </span>
        </button>
        <KeyButton action="add8" onPress={onPress} />
      </div>
      <Digits onDigit={(digit) => setText(text + digit)} onClear={() => setText('')} />
    </form>
  );
}

/** Keys for a screen that is touched. */
export function Digits({ onDigit, onClear }: { onDigit: (digit: string) => void; onClear: () => void }) {
  return (
    <div class="digits">
      {['7', '8', '9', '4', '5', '6', '1', '2', '3', '0', '00'].map((digit) => (
        <button key={digit} type="button" onClick={() => onDigit(digit)}>
          {digit}
        </button>
      ))}
      <button type="button" onClick={onClear}>
        {words().entry.clear}
      </button>
    </div>
  );
}

function DropBasket({ register }: { register: Register }) {
  const [asks, setAsks] = useState(false);
  const { basket, scan } = register.draft.value;
  if (basket.lines.length === 0 && !scan) return null;
  return (
    <>
      <button type="button" class="danger" onClick={() => setAsks(true)}>
        {words().basket.clear}
      </button>
      {asks && (
        <Dialog title={words().basket.clear} onClose={() => setAsks(false)}>
          <p>{words().basket.clearAsk}</p>
          <div class="row stretch">
            <button type="button" onClick={() => setAsks(false)}>
              {words().back}
            </button>
            <button
              type="button"
              class="danger"
              onClick={() => {
                setAsks(false);
                void register.drop();
              }}
            >
              {words().basket.clear}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
