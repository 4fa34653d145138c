// Names of requests and baskets: `JOURNAL-GENERATION-N`, unique without asking anybody. Mirrors `pos-protocol/src/client/names.rs`.
//
// The journal's part is drawn once, the generation's at every start: two tills with one terminal's credentials differ, and so does a
// till whose journal was restored from an older copy.

import type { Opened, Owner } from './message.ts';
import { type Moment, timestamp } from './settings.ts';

export class Names {
  readonly opened: Opened;
  #count = 0;

  constructor(before: Opened | undefined, owner: Owner | undefined, now: Moment, why: Opened['why']) {
    const known = owner ?? before?.owner;
    this.opened = {
      format: 1,
      journal: before?.journal ?? now.noise.slice(0, 8),
      generation: now.noise.slice(8, 15),
      at: timestamp(now.at),
      why,
      ...(known ? { owner: known } : {}),
    };
  }

  request(): string {
    return this.#next('');
  }

  basket(): string {
    return this.#next('b');
  }

  #next(kind: string): string {
    this.#count += 1;
    return `${this.opened.journal}-${this.opened.generation}-${kind}${this.#count}`;
  }
}
