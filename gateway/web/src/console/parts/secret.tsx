// A secret, shown once. It is nowhere but in this dialog, and gone when the dialog or the page is left.

import { useEffect, useRef, useState } from 'preact/hooks';
import { announce } from '../../kit/announce.tsx';
import { Dialog } from '../../kit/dialog.tsx';
import { shell } from '../words/shell.ts';

export interface Secret {
  /** Whose it is. */
  name: string;
  text: string;
}

export function SecretDialog({ secret, close }: { secret: Secret; close: () => void }) {
  const words = shell();
  const [note, setNote] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // A page that is kept for the back button must not keep it.
    addEventListener('pagehide', close);
    return () => removeEventListener('pagehide', close);
  }, [close]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret.text);
      setNote(words.copied);
      announce(words.copied);
    } catch {
      field.current?.select();
      setNote(words.copyFailed);
      announce(words.copyFailed);
    }
  };
  return (
    // Escape does not close it: the secret would be lost by one key.
    <Dialog title={`${words.secretTitle}: ${secret.name}`} onClose={() => {}}>
      <p class="note warn">{words.secretOnce}</p>
      <div class="row">
        <input
          ref={field}
          class="secret"
          readOnly
          aria-label={words.secretTitle}
          value={secret.text}
          autocomplete="off"
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" onClick={() => void copy()}>
          {words.copy}
        </button>
      </div>
      <p class="hint">{note}</p>
      <div class="row end">
        <button type="button" class="primary" onClick={close}>
          {words.secretKept}
        </button>
      </div>
    </Dialog>
  );
}
