// A list that is read page by page, newest first; older pages are added below.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Maybe } from '../answers.ts';
import { shell } from '../words/shell.ts';
import { Fault } from './fault.tsx';

export interface Pages<T> {
  rows: T[] | undefined;
  error: unknown;
  busy: boolean;
  /** Whether there is another page. */
  more: boolean;
  older: () => Promise<void>;
  reload: () => Promise<void>;
}

type Load<T> = (after: string | undefined, signal: AbortSignal) => Promise<{ rows: T[]; next?: Maybe<string> }>;

interface State<T> {
  rows?: T[];
  next?: string;
  error?: unknown;
  busy: boolean;
}

/** `key` names the list: another key is another list, read from its top. */
export function usePages<T>(key: string, load: Load<T>): Pages<T> {
  const [state, set] = useState<State<T>>({ busy: true });
  const latest = useRef(load);
  latest.current = load;
  const going = useRef<AbortController>(undefined);
  const read = useCallback(async (after: string | undefined) => {
    going.current?.abort();
    const stop = new AbortController();
    going.current = stop;
    set(({ error: _error, ...before }) => ({ ...before, busy: true }));
    try {
      const { rows, next } = await latest.current(after, stop.signal);
      if (stop.signal.aborted) return;
      set((before) => ({
        rows: after === undefined ? rows : [...(before.rows ?? []), ...rows],
        ...(next && { next }),
        busy: false,
      }));
    } catch (error) {
      if (!stop.signal.aborted) set((before) => ({ ...before, error, busy: false }));
    }
  }, []);
  // Another key is another list.
  useEffect(() => {
    set({ busy: true });
    void read(undefined);
    return () => going.current?.abort();
  }, [key, read]);
  return {
    rows: state.rows,
    error: state.error,
    busy: state.busy,
    more: state.next !== undefined,
    older: () => read(state.next),
    reload: () => read(undefined),
  };
}

/** What stands below such a list; `more` where what follows is not older. */
export function PagesFoot<T>({ of, more }: { of: Pages<T>; more?: string }) {
  const words = shell();
  return (
    <>
      {of.error !== undefined && <Fault error={of.error} again={() => void (of.rows ? of.older() : of.reload())} />}
      {of.rows === undefined && of.error === undefined && <p class="hint">{words.loading}</p>}
      {of.more && of.error === undefined && (
        <div class="row">
          <button type="button" aria-disabled={of.busy} onClick={() => !of.busy && void of.older()}>
            {of.busy ? words.loading : (more ?? words.older)}
          </button>
        </div>
      )}
    </>
  );
}
