// What is typed as points and as lists.

/** A whole number of points of at least 1; wide digits and separators of thousands are read. */
export function wholePoints(text: string): number | undefined {
  const plain = text.normalize('NFKC').trim();
  if (!/^\d{1,3}(,\d{3})+$|^\d+$/.test(plain)) return undefined;
  const points = Number(plain.replaceAll(',', ''));
  return Number.isSafeInteger(points) && points > 0 ? points : undefined;
}

/** Words separated by commas, Japanese ones too. */
export function listed(text: string): string[] {
  return text
    .split(/[,、，]/)
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
