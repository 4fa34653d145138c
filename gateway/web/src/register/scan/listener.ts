// Carries out on a page what `wedge.ts` decides: a scan reaches nobody but the register, wherever the focus is, and leaves no character in
// a field.

import { type Decision, Wedge } from './wedge.ts';

type TextField = HTMLInputElement | HTMLTextAreaElement;

/** Fields that take keys but have no text range: what is kept back from them could not be given back. */
const WITHOUT_RANGE =
  'select, input:is([type=date], [type=time], [type=month], [type=week], [type=datetime-local], [type=number])';

/** Keys judged by their own time stamps may reach a busy page later than they were pressed. */
const SLACK_MS = 150;

/** What a field held before the first key of what may be a scan. */
interface Before {
  field: TextField;
  value: string;
  start: number | null;
  end: number | null;
}

/**
 * Listens for scans until the result is called. Digits that a person types while nothing takes text go to `home`, if there is one; so
 * may the first digit of a scan, which is taken out again like any other.
 */
export function listen(onScan: (text: string) => void, home: () => TextField | undefined): () => void {
  const wedge = new Wedge();
  let before: Before | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const carryOut = (decision: Decision): void => {
    if (decision.scan !== undefined) {
      restore(before);
      before = undefined;
      onScan(decision.scan);
    } else if (decision.giveBack !== undefined) {
      insert(decision.giveBack);
    }
  };
  const onKey = (event: KeyboardEvent): void => {
    clearTimeout(timer);
    const decision = wedge.press({
      code: event.code,
      key: event.key,
      shift: event.shiftKey,
      modified: event.ctrlKey || event.altKey || event.metaKey,
      repeat: event.repeat,
      at: event.timeStamp,
    });
    // What came so far may still be a person's; only the end of a scan is surely none of theirs.
    const isKeptBack = decision.swallow && decision.scan === undefined;
    if (decision.swallow && !(isKeptBack && document.activeElement?.matches(WITHOUT_RANGE))) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    carryOut(decision);
    if (decision.first) {
      const isDigit = /^[0-9]$/.test(event.key) && !event.ctrlKey && !event.altKey && !event.metaKey;
      if (isDigit && !takesText()) home()?.focus();
      before = snapshot();
    }
    const due = wedge.pauseAt;
    if (due !== undefined)
      timer = setTimeout(() => carryOut(wedge.pause()), Math.max(due - event.timeStamp, 0) + SLACK_MS);
  };
  document.addEventListener('keydown', onKey, { capture: true });
  return () => {
    clearTimeout(timer);
    document.removeEventListener('keydown', onKey, { capture: true });
  };
}

function textField(): TextField | undefined {
  const focused = document.activeElement;
  const isText = focused instanceof HTMLInputElement && /^(text|search|tel|url|password)$/.test(focused.type);
  return isText || focused instanceof HTMLTextAreaElement ? focused : undefined;
}

/** A field whose value a scan may have spoiled, also one without a text range. */
function spoilt(): TextField | undefined {
  const focused = document.activeElement;
  return textField() ?? (focused instanceof HTMLInputElement && focused.matches(WITHOUT_RANGE) ? focused : undefined);
}

/** Whether what has the focus does something with digits. */
function takesText(): boolean {
  return document.activeElement?.matches('input, textarea, select') ?? false;
}

function snapshot(): Before | undefined {
  const field = spoilt();
  return field && { field, value: field.value, start: field.selectionStart, end: field.selectionEnd };
}

/** Gives a field back what it held. An IME that was composing has to let go first, or it writes the scan once more. */
function restore(before: Before | undefined): void {
  if (!before || before.field.value === before.value) return;
  const { field, value, start, end } = before;
  const focused = document.activeElement === field;
  if (focused) field.blur();
  field.value = value;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  if (focused) field.focus();
  if (start !== null) field.setSelectionRange(start, end);
}

/** Types for a person what was kept back from them. */
function insert(text: string): void {
  const field = textField();
  if (!field || field.readOnly || field.disabled) return;
  field.setRangeText(text, field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length, 'end');
  field.dispatchEvent(new Event('input', { bubbles: true }));
}
