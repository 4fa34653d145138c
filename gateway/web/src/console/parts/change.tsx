// A change: what it is, the reason everybody must give, and how it ended. Where no answer comes it says that the outcome
// is unknown, has the screen read again, and does not offer to send the same once more.

import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { Dialog } from '../../kit/dialog.tsx';
import { shell } from '../words/shell.ts';
import { Fault, unknownOutcome } from './fault.tsx';
import { TextField } from './field.tsx';

const REASON_CHARACTERS_MAX = 200;

export interface ChangeProps<T> {
  title: string;
  /** The word on the button that does it. */
  confirm: string;
  danger?: boolean;
  wide?: boolean;
  /** What is wrong with the fields, if anything; asked when the button is pressed. */
  wrong?: () => boolean;
  perform: (reason: string) => Promise<T>;
  done: (outcome: T) => void;
  /** Reads again what the change may have touched. */
  reread: () => void;
  close: () => void;
  children?: ComponentChildren;
}

type Phase = { at: 'asking'; error?: unknown } | { at: 'sending' } | { at: 'unknown' };

export function reasonFault(reason: string): string | undefined {
  const text = reason.trim();
  if (text === '') return shell().reasonMissing;
  return [...text].length > REASON_CHARACTERS_MAX ? shell().reasonLong : undefined;
}

export function Change<T>(props: ChangeProps<T>) {
  const { title, confirm, danger = false, wide = false, wrong, perform, done, reread, close, children } = props;
  const words = shell();
  const [reason, setReason] = useState('');
  const [checked, setChecked] = useState(false);
  const [phase, setPhase] = useState<Phase>({ at: 'asking' });
  const form = useRef<HTMLFormElement>(null);
  const fault = checked ? reasonFault(reason) : undefined;
  const sending = phase.at === 'sending';

  const submit = async () => {
    if (sending || phase.at === 'unknown') return;
    setChecked(true);
    // Not `||`: both are checked, so that everything wrong is shown at once.
    const fieldsWrong = wrong?.() ?? false;
    if (reasonFault(reason) !== undefined || fieldsWrong) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    setPhase({ at: 'sending' });
    try {
      const outcome = await perform(reason.trim());
      close();
      done(outcome);
    } catch (error) {
      if (!unknownOutcome(error)) {
        setPhase({ at: 'asking', error });
        return;
      }
      setPhase({ at: 'unknown' });
      reread();
    }
  };

  return (
    <Dialog title={title} wide={wide} onClose={() => !sending && close()}>
      <form
        ref={form}
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {children}
        <TextField
          label={words.reason}
          hint={words.reasonHint}
          fault={fault}
          value={reason}
          change={setReason}
          required
          readOnly={sending}
          autocapitalize="sentences"
        />
        {phase.at === 'asking' && phase.error !== undefined && <Fault error={phase.error} />}
        {phase.at === 'unknown' && (
          <p class="note warn" role="alert">
            {words.unknownOutcome}
          </p>
        )}
        <div class="row end">
          <button type="button" aria-disabled={sending} onClick={() => !sending && close()}>
            {phase.at === 'unknown' ? words.close : words.cancel}
          </button>
          {phase.at !== 'unknown' && (
            <button type="submit" class={danger ? 'danger' : 'primary'} aria-disabled={sending}>
              {sending ? words.sending : confirm}
            </button>
          )}
        </div>
      </form>
    </Dialog>
  );
}
