// New versions of the page. A new worker fetches the whole of it and waits; it takes over, and the page is loaded anew,
// while nobody looks: a card must not vanish under the scanner.

export function keepOnPhone(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  const workers = navigator.serviceWorker;
  const had = workers.controller !== null;
  let reloaded = false;
  workers.addEventListener('controllerchange', () => {
    if (!had || reloaded) return;
    reloaded = true;
    location.reload();
  });
  void workers
    .register('/card-worker.js', { scope: '/card' })
    .then((registration) => {
      const takeOver = (): void => {
        if (document.visibilityState === 'hidden') registration.waiting?.postMessage('take-over');
        else void registration.update().catch(() => undefined);
      };
      document.addEventListener('visibilitychange', takeOver);
    })
    .catch(() => undefined);
}
