// Files that a page hands to its reader: made here, or fetched from the gateway with credentials that a link cannot send.

import { NoAnswer, problem } from './api.ts';

const DEADLINE_MS = 60_000;

/** Fetches a file. Ends as a call does: the file, a `Problem`, or `NoAnswer`. */
export async function fetchFile(path: string, headers: Record<string, string>): Promise<Blob> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const init: RequestInit = { headers, signal: deadline, cache: 'no-store', credentials: 'omit', redirect: 'error' };
  try {
    const response = await fetch(path, init);
    if (response.ok) return await response.blob();
    throw problem(response, await response.json().catch(() => undefined), Date.now());
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException) {
      throw new NoAnswer(deadline.aborted ? 'deadline' : 'network', error);
    }
    throw error;
  }
}

/** Saves a file under this name, as if it had been downloaded. */
export function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the file over by the next turn of its loop.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
