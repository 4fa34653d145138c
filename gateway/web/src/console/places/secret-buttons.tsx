// The two things that may be done to what has a secret.

import { places as words } from '../words/places.ts';

export interface SecretButtonsProps {
  name: string;
  rotate?: () => void;
  disable?: () => void;
}

export function SecretButtons({ name, rotate, disable }: SecretButtonsProps) {
  const w = words();
  if (!rotate && !disable) return <>—</>;
  return (
    <span class="row tight">
      {rotate && (
        <button type="button" class="small" aria-label={w.rotateOf(name)} onClick={rotate}>
          {w.rotate}
        </button>
      )}
      {disable && (
        <button type="button" class="small danger" aria-label={w.disableOf(name)} onClick={disable}>
          {w.disable}
        </button>
      )}
    </span>
  );
}
