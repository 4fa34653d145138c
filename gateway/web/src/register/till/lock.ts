// One register on this machine at a time: two tabs that wrote one journal would each send what the other gave up.

const NAME = 'register';

/** Takes the register's lock for as long as the page lives, or says that another tab has it. */
export async function takeLock(): Promise<'taken' | 'elsewhere' | 'unsupported'> {
  // Web Locks exist on secure pages only, as do the keys of the card page; a till without them must not guess.
  if (!('locks' in navigator)) return 'unsupported';
  return new Promise((resolve) => {
    void navigator.locks.request(NAME, { ifAvailable: true }, (lock) => {
      if (!lock) {
        resolve('elsewhere');
        return undefined;
      }
      resolve('taken');
      // Held until the tab is closed.
      return new Promise(() => {});
    });
  });
}

/** Resolves once the other tab is gone. */
export async function lockFree(): Promise<void> {
  await navigator.locks.request(NAME, () => {});
}
