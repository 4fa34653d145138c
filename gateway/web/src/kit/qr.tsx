// A text as a QR code: dark on white whatever the theme, with the four modules of quiet zone that scanners need.

import { encode } from 'uqr';

export interface QrProps {
  text: string;
  /** What it is, for a screen reader. */
  label: string;
  /** Error correction; M is what the card text is made for. */
  level?: 'L' | 'M' | 'Q' | 'H';
}

const QUIET_MODULES = 4;

/** The dark modules as one path: a run of modules is one stroke, so the code has no hairlines between modules. */
export function qrPath(text: string, level: 'L' | 'M' | 'Q' | 'H' = 'M'): { size: number; path: string } {
  const { data, size } = encode(text, { ecc: level, border: QUIET_MODULES });
  let path = '';
  data.forEach((row, y) => {
    let x = 0;
    while (x < row.length) {
      const from = x;
      while (row[x]) x += 1;
      if (x > from) path += `M${from} ${y}h${x - from}v1h${from - x}z`;
      else x += 1;
    }
  });
  return { size, path };
}

export function Qr({ text, label, level = 'M' }: QrProps) {
  const { size, path } = qrPath(text, level);
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
