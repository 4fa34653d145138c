// How many points the shopper uses: all, whole hundreds, or a number that is typed.

import { useRef, useState } from 'preact/hooks';
import { points } from '../../kit/format.ts';
import type { Register } from '../register.ts';
import { words } from '../words.ts';
import { useFocusInDialog } from './focus.ts';
import { Digits } from './sale.tsx';

export function PointsPad({ register, onClose }: { register: Register; onClose: () => void }) {
  const most = register.usable;
  const [typed, setTyped] = useState(String(most));
  const [wrong, setWrong] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useFocusInDialog(field);
  const text = words().points;
  const busy = register.asking.value !== undefined;
  const use = async (wanted: number): Promise<void> => {
    if (!Number.isSafeInteger(wanted) || wanted < 1 || wanted > most) {
      setWrong(true);
      return;
    }
    if (await register.hold(wanted)) onClose();
  };
  const hundreds = most - (most % 100);
  const message = register.message.value;
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void use(Number(typed.normalize('NFKC')));
      }}
    >
      <p>{text.can(points(most))}</p>
      <label class="field">
        <span>{text.typed}</span>
        <input
          class="number"
          type="text"
          inputMode="numeric"
          autocomplete="off"
          value={typed}
          aria-invalid={wrong}
          ref={field}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setWrong(false);
          }}
        />
      </label>
      {wrong && (
        <p class="fault" role="alert">
          {text.tooMany(points(most))}
        </p>
      )}
      {message && <p class={`note ${message.tone}`}>{message.text()}</p>}
      <div class="row stretch">
        <button type="button" disabled={busy} onClick={() => void use(most)}>
          {text.all} ({points(most)})
        </button>
        <button type="button" disabled={busy || hundreds === 0} onClick={() => void use(hundreds)}>
          {text.hundreds} ({points(hundreds)})
        </button>
      </div>
      <Digits onDigit={(digit) => setTyped(typed + digit)} onClear={() => setTyped('')} />
      <div class="row stretch">
        <button type="button" onClick={onClose}>
          {words().cancel}{' '}
          <span class="key" aria-hidden="true">
            Esc
          </span>
        </button>
        <button type="submit" class="primary" disabled={busy}>
          {busy ? words().working : text.use}{' '}
          <span class="key" aria-hidden="true">
            Enter
          </span>
        </button>
      </div>
    </form>
  );
}
