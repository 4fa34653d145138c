// The open register: its bar, the sale, and what lies over it.

import { useEffect, useRef } from 'preact/hooks';
import { Dialog } from '../../kit/dialog.tsx';
import { LanguageSwitch } from '../../kit/language-switch.tsx';
import { type Action, act, type EntryKeys, KEYS, listenToKeys } from '../keys.ts';
import type { Register } from '../register.ts';
import { listen } from '../scan/listener.ts';
import { verdictWords } from '../verdict-words.ts';
import { words } from '../words.ts';
import { Articles } from './articles.tsx';
import { Camera } from './camera.tsx';
import { Connection, ConnectionMark } from './connection.tsx';
import { Payment } from './payment.tsx';
import { PointsPad } from './points.tsx';
import { Receipt } from './receipt.tsx';
import { Returns } from './returns.tsx';
import { Sale } from './sale.tsx';
import { Settlement } from './settlement.tsx';
import { ShopSettings } from './shop-settings.tsx';

export function Open({ register }: { register: Register }) {
  const entry = useRef<EntryKeys | undefined>(undefined);
  useEffect(() => listen((text) => register.scanned(text), entryField), [register]);
  useEffect(() => listenToKeys(register, () => entry.current), [register]);
  const screen = register.screen.value;
  const press = (action: Action) => act(register, action, entry.current);
  return (
    <div class="register">
      <header class="bar">
        <h1>{words().title}</h1>
        <nav class="row" aria-label={words().title}>
          <KeyButton action="articles" onPress={press} />
          <KeyButton action="refund" onPress={press} />
          <KeyButton action="settle" onPress={press} />
          <ConnectionMark register={register} onPress={() => press('connection')} />
          <button type="button" onClick={() => register.goTo({ is: 'camera' })}>
            {words().action.camera}
          </button>
          <button type="button" class="quiet" onClick={() => register.goTo({ is: 'setup' })}>
            {words().action.setup}
          </button>
          <LanguageSwitch />
        </nav>
      </header>
      <main>
        <Untold register={register} />
        {screen.is === 'receipt' ? (
          <Receipt register={register} />
        ) : (
          <Sale register={register} entry={entry} onPress={press} />
        )}
      </main>
      <Over register={register} />
    </div>
  );
}

/** The entry, while no dialog lies over it. */
function entryField(): HTMLInputElement | undefined {
  const field = document.getElementById('entry');
  return field instanceof HTMLInputElement && !document.querySelector('dialog[open]') ? field : undefined;
}

/** What lies over the sale. */
function Over({ register }: { register: Register }) {
  const { is } = register.screen.value;
  const back = () => register.goTo({ is: 'sale' });
  const text = words();
  switch (is) {
    case 'points':
      return (
        <Dialog title={text.points.title} onClose={back}>
          <PointsPad register={register} onClose={back} />
        </Dialog>
      );
    case 'pay':
      return (
        <Dialog title={text.pay.title} onClose={back}>
          <Payment register={register} onClose={back} />
        </Dialog>
      );
    case 'refund':
      return (
        <Dialog title={text.refund.title} onClose={back} wide>
          <Returns register={register} onClose={back} />
        </Dialog>
      );
    case 'settle':
      return (
        <Dialog title={text.settle.title} onClose={back} wide>
          <Settlement register={register} onClose={back} />
        </Dialog>
      );
    case 'connection':
      return (
        <Dialog title={text.connection.title} onClose={back} wide>
          <Connection register={register} onClose={back} />
        </Dialog>
      );
    case 'articles':
      return (
        <Dialog title={text.articles.title} onClose={back} wide>
          <Articles register={register} onClose={back} />
        </Dialog>
      );
    case 'camera':
      return (
        <Dialog title={text.camera.title} onClose={back}>
          <Camera onCode={(code) => register.scanned(code)} onClose={back} />
        </Dialog>
      );
    case 'setup':
      return (
        <Dialog title={text.setup.title} onClose={back}>
          <ShopSettings register={register} onClose={back} />
        </Dialog>
      );
    default:
      return null;
  }
}

/** A button with its key. */
export function KeyButton(props: {
  action: Action;
  onPress: (action: Action) => void;
  kind?: string;
  disabled?: boolean;
}) {
  const { action, onPress, kind = '', disabled = false } = props;
  return (
    <button
      type="button"
      class={kind}
      aria-keyshortcuts={KEYS[action]}
      aria-disabled={disabled}
      onClick={() => !disabled && onPress(action)}
    >
      {words().action[action]}{' '}
      <span class="key" aria-hidden="true">
        {KEYS[action]}
      </span>
    </button>
  );
}

/** Sales of the last run whose end nobody has seen. */
function Untold({ register }: { register: Register }) {
  const left = register.untold.value;
  if (left.length === 0) return null;
  return (
    <section class="note warn untold" role="alert">
      <h2>{words().untold.title}</h2>
      <p>{words().untold.text}</p>
      <ul>
        {left.map((each) => (
          <li key={each.requestId}>
            {words().connection.late(words().connection.operations[each.operation], each.receiptNumber ?? '')}:{' '}
            {verdictWords(each.verdict, each.operation)}
          </li>
        ))}
      </ul>
      <button type="button" onClick={() => void register.dismissUntold()}>
        {words().connection.dismiss}
      </button>
    </section>
  );
}
