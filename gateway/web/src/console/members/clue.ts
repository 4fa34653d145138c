// What a member is searched by, as the gateway takes it.

export const CLUES = ['number', 'card_id', 'card_number', 'email', 'phone', 'kana', 'customer'] as const;
export type Clue = (typeof CLUES)[number];

/** Digits typed wide or with blanks and hyphens between are still a number. */
export function plainNumber(text: string): string {
  return text.normalize('NFKC').replace(/[\s‐‑–—ー−-]/g, '');
}

export function isNumber(text: string): boolean {
  return /^\d{12}$/.test(plainNumber(text));
}

export function clueBody(clue: Clue, first: string, second: string): Record<string, string> {
  const [text, more] = [first.trim(), second.trim()];
  switch (clue) {
    case 'number':
      return { number: plainNumber(text) };
    case 'kana':
      return { kana: text, ...(more && { birthday: more }) };
    case 'customer':
      return { shop_id: text, customer_id: more };
    default:
      return { [clue]: text };
  }
}
