// What this card may spend, signed into the code: a switch, and a limit for those who want one.

import { useEffect, useState } from 'preact/hooks';
import { Dialog } from '../../kit/dialog.tsx';
import { points } from '../../kit/format.ts';
import { SPEND_POINTS_MAX } from '../card-text.ts';
import { happening } from '../live.ts';
import { chooseLimit, limit, limit_kept } from '../session.ts';
import { words } from '../words.ts';

const CHOICES = [100, 500, 1_000, 3_000];

export function Spend() {
  const { spend } = words();
  const [open, setOpen] = useState(false);
  const now = limit.value;
  const turn = (on: boolean): void => void chooseLimit(on ? { spend: true } : { spend: false });
  // What happened at the till lies over the card, and a dialog would hide it.
  useEffect(() => {
    if (happening.value) setOpen(false);
  }, [happening.value]);
  return (
    <section class="panel spend" aria-label={spend.label}>
      <label class="switch">
        <input
          type="checkbox"
          role="switch"
          checked={now.spend}
          aria-checked={now.spend}
          onChange={(event) => turn(event.currentTarget.checked)}
        />
        <span>
          {spend.label}
          <span class="hint">{now.spend ? spend.on : spend.off}</span>
        </span>
      </label>
      {now.spend && (
        <div class="row apart">
          <span>{now.points === undefined ? spend.none : spend.upTo(now.points)}</span>
          <button type="button" onClick={() => setOpen(true)}>
            {spend.change}
          </button>
        </div>
      )}
      {!limit_kept.value && (
        <p class="fault" role="alert">
          {spend.notKept}
        </p>
      )}
      {open && <LimitDialog onClose={() => setOpen(false)} />}
    </section>
  );
}

function LimitDialog({ onClose }: { onClose: () => void }) {
  const { spend, cancel, save } = words();
  const [typed, setTyped] = useState('');
  const [wrong, setWrong] = useState(false);
  const choose = (most?: number): void => {
    void chooseLimit(most === undefined ? { spend: true } : { spend: true, points: most });
    onClose();
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const most = Number(typed.normalize('NFKC').replaceAll(',', ''));
    if (Number.isInteger(most) && most >= 1 && most <= SPEND_POINTS_MAX) choose(most);
    else setWrong(true);
  };
  return (
    <Dialog title={spend.title} onClose={onClose}>
      <p class="hint">{spend.hint}</p>
      <div class="row">
        <button type="button" onClick={() => choose()}>
          {spend.none}
        </button>
        {CHOICES.map((most) => (
          <button type="button" key={most} onClick={() => choose(most)}>
            {points(most)}
          </button>
        ))}
      </div>
      <form class="field" onSubmit={submit} noValidate>
        <label for="limit">{spend.other}</label>
        <input
          id="limit"
          inputMode="numeric"
          autoComplete="off"
          value={typed}
          aria-invalid={wrong}
          aria-describedby={wrong ? 'limit-wrong' : undefined}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        {wrong && (
          <p class="fault" id="limit-wrong" role="alert">
            {spend.wrong(SPEND_POINTS_MAX)}
          </p>
        )}
        <div class="row">
          <button type="submit" class="primary">
            {save}
          </button>
          <button type="button" onClick={onClose}>
            {cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
