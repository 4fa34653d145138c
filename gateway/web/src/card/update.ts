// New versions of the page. A new worker fetches the whole of it and waits; it takes over, and the page is loaded anew,
// while nobody looks: a card must not vanish under the scanner. One worker serves all tabs, so a tab that is hidden may
// bring the new version while another is shown: that one is loaded anew when it is hidden itself.

export function keepOnPhone(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  const workers = navigator.serviceWorker;
  // The first worker brings nothing that is not shown already.
  let had = workers.controller !== null;
  let old = false;
  let reloaded = false;
  const renew = (): void => {
    if (!old || reloaded || document.visibilityState !== 'hidden') return;
    reloaded = true;
    location.reload();
  };
  workers.addEventListener('controllerchange', () => {
    old ||= had;
    had = true;
    renew();
  });
  document.addEventListener('visibilitychange', renew);
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
