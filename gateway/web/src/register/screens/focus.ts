// Where the focus is when a dialog has opened. The dialog takes it for its heading, after its content is drawn; so the field that is typed
// into asks for it just after that.

import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

/** Focuses the field, with its text selected, once the dialog around it is open; again when `turn` changes. */
export function useFocusInDialog(field: RefObject<HTMLInputElement | null>, turn?: unknown): void {
  useEffect(() => {
    queueMicrotask(() => {
      field.current?.focus();
      field.current?.select();
    });
  }, [turn]);
}
