// What a screen reads: asked for when the screen opens and when something it depends on changes, given up when it is
// left. What was read before stays in sight while it is read again.

import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { NoAnswer } from '../../kit/api.ts';
import { shell } from '../words/shell.ts';
import { Fault } from './fault.tsx';

export interface Loaded<T> {
  data: T | undefined;
  error: unknown;
  busy: boolean;
  reload: () => Promise<void>;
}

export function useLoaded<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, set] = useState<{ key: string; data?: T; error?: unknown; busy: boolean }>({ key, busy: true });
  const latest = useRef(load);
  latest.current = load;
  const going = useRef<AbortController>(undefined);
  const reload = useCallback(async () => {
    going.current?.abort();
    const stop = new AbortController();
    going.current = stop;
    set((before) => (before.key === key ? { ...before, busy: true } : { key, busy: true }));
    try {
      const data = await latest.current(stop.signal);
      if (!stop.signal.aborted) set({ key, data, busy: false });
    } catch (error) {
      if (stop.signal.aborted || (error instanceof NoAnswer && error.why === 'cancelled')) return;
      set((before) => ({ ...before, error, busy: false }));
    }
  }, [key]);
  useEffect(() => {
    void reload();
    return () => going.current?.abort();
  }, [reload]);
  const fits = state.key === key;
  return { data: fits ? state.data : undefined, error: fits ? state.error : undefined, busy: state.busy, reload };
}

/** Shows what was read, or that it is being read, or why not. */
export function Show<T>({ of, children }: { of: Loaded<T>; children: (data: T) => ComponentChildren }) {
  return (
    <>
      {of.error !== undefined && <Fault error={of.error} again={() => void of.reload()} />}
      {of.data !== undefined ? children(of.data) : of.error === undefined && <p class="hint">{shell().loading}</p>}
    </>
  );
}
