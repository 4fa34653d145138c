// Tells a keyboard-wedge scanner from a person, by timing and by key code.
//
// A scanner types a whole code within milliseconds a key and ends with CR, LF or TAB, or just stops. `event.code` names the key and
// not the character, so neither an IME nor another layout can spoil digits. This file is pure: key presses and moments go in,
// decisions come out; `listener.ts` carries them out on a page.
//
// Invariants:
// - What a person types is left alone: no key is kept back unless it follows the one before it faster than hands do, and what was
//   kept back and turns out to be no scan is given back in order.
// - A scan is reported once, whole, and none of its keys does anything else.

/** Two keys further apart than this are a person's, until a burst has shown itself to be a scanner's. */
export const GAP_MS_MAX = 50;
/** Within a burst of a scanner: a slow radio link, or a busy machine. */
export const GAP_MS_MAX_KNOWN = 300;
/** So many keys in a row as fast as that are a scanner's. */
export const KEYS_MIN = 6;
/** A code that just stops, without a suffix, has so many keys at least. */
export const KEYS_MIN_WITHOUT_SUFFIX = 8;
/** Longer bursts are no code of any kind. */
export const KEYS_MAX = 512;

/** A key press, as far as it matters. */
export interface Press {
  /** `KeyboardEvent.code`. */
  code: string;
  /** `KeyboardEvent.key`: only for giving back what a person typed. */
  key: string;
  shift: boolean;
  /** Control, Alt or Meta: never a scanner's text. */
  modified: boolean;
  repeat: boolean;
  /** Milliseconds on a clock that nobody sets. */
  at: number;
}

/** What to do with a key press. */
export interface Decision {
  /** Whether the key must have no effect of its own. */
  swallow: boolean;
  /** Whether this key may be the first of a scan: remember what the field holds now. */
  first?: boolean;
  /** A whole scan. */
  scan?: string;
  /** What was kept back from a person: put it where it belongs. */
  giveBack?: string;
}

const SUFFIXES = new Set(['Enter', 'NumpadEnter', 'Tab']);
const SHIFTS = new Set(['ShiftLeft', 'ShiftRight', 'CapsLock']);
/** Punctuation of AIM identifiers and product codes. `]` lies elsewhere on a JIS keyboard. */
const MARKS: Record<string, string> = {
  BracketRight: ']',
  Backslash: ']',
  BracketLeft: '[',
  Minus: '-',
  Period: '.',
  Slash: '/',
  Space: ' ',
  NumpadSubtract: '-',
  NumpadDecimal: '.',
};

/** The character a scanner means by a key; `undefined` if codes have none there. */
export function characterOf(press: Pick<Press, 'code' | 'shift'>): string | undefined {
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(press.code);
  if (digit) return digit[1];
  const letter = /^Key([A-Z])$/.exec(press.code)?.[1];
  if (letter) return press.shift ? letter : letter.toLowerCase();
  return MARKS[press.code];
}

/** Recognizes scans among key presses. */
export class Wedge {
  #text = '';
  #keptBack = '';
  #keys = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** A key went down. */
  press(press: Press): Decision {
    if (SHIFTS.has(press.code)) return { swallow: false };
    const fast = this.#keys > 0 && press.at - this.#last <= this.#gapMax();
    if (SUFFIXES.has(press.code) && !press.modified && fast && this.#keys >= KEYS_MIN) {
      return { swallow: true, scan: this.#end() };
    }
    const character = press.modified || press.repeat ? undefined : characterOf(press);
    if (character === undefined) return { swallow: false, ...this.#broken() };
    if (!fast || this.#keys >= KEYS_MAX) {
      const broken = this.#broken();
      this.#begin(character, press.at);
      return { swallow: false, first: true, ...broken };
    }
    this.#text += character;
    this.#keptBack += printable(press.key);
    this.#keys += 1;
    this.#last = press.at;
    return { swallow: true };
  }

  /** When to call {@link pause} if no key comes before; `undefined` if nothing is open. */
  get pauseAt(): number | undefined {
    return this.#keys > 1 ? this.#last + this.#gapMax() : undefined;
  }

  /** No key came in time: a scan without a suffix, or a person whose keys rolled. */
  pause(): Decision {
    if (this.#keys >= KEYS_MIN_WITHOUT_SUFFIX) return { swallow: false, scan: this.#end() };
    return { swallow: false, ...this.#broken() };
  }

  #gapMax(): number {
    return this.#keys >= KEYS_MIN ? GAP_MS_MAX_KNOWN : GAP_MS_MAX;
  }

  #begin(character: string, at: number): void {
    this.#text = character;
    this.#keptBack = '';
    this.#keys = 1;
    this.#last = at;
  }

  #end(): string {
    const text = this.#text;
    this.#clear();
    return text;
  }

  /** What was open is over. A long burst was a scan although its suffix never came; the rest is a person's. */
  #broken(): Partial<Decision> {
    const [text, keptBack, keys] = [this.#text, this.#keptBack, this.#keys];
    this.#clear();
    if (keys >= KEYS_MIN_WITHOUT_SUFFIX) return { scan: text };
    return keptBack === '' ? {} : { giveBack: keptBack };
  }

  #clear(): void {
    this.#text = '';
    this.#keptBack = '';
    this.#keys = 0;
    this.#last = Number.NEGATIVE_INFINITY;
  }
}

/** One character, or nothing: `Process`, `Dead` and the like are no text. */
function printable(key: string): string {
  return [...key].length === 1 ? key : '';
}
