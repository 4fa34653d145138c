// Prints how much script and style each page loads at first, gzipped, and fails over the budget.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Bytes of gzipped script that a page may load before it can be used. */
const SCRIPT_BYTES_MAX: Record<string, number> = { card: 60_000, register: 90_000, console: 120_000 };
const dist = join(import.meta.dirname, '..', 'dist');
let over = false;

for (const [page, most] of Object.entries(SCRIPT_BYTES_MAX)) {
  const html = readFileSync(join(dist, page, 'index.html'), 'utf8');
  const files = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g)].map((match) => match[1] ?? '');
  const bytes = (ending: string): number =>
    files
      .filter((file) => file.endsWith(ending))
      .reduce((sum, file) => sum + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length, 0);
  const script = bytes('.js');
  over ||= script > most;
  console.log(`${page}: script ${script} of ${most} bytes, style ${bytes('.css')} bytes, gzipped`);
}
if (over) {
  console.error('over the budget');
  process.exitCode = 1;
}
