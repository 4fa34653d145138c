// All cards that lead to the member: names for them, and the end of those that are lost.

import { useEffect, useState } from 'preact/hooks';
import { announce } from '../../kit/announce.tsx';
import { Dialog } from '../../kit/dialog.tsx';
import { Fault, useAction } from '../action.tsx';
import type { MyCard } from '../gateway.ts';
import { ask, me, refresh } from '../session.ts';
import { words } from '../words.ts';
import { Frame } from './frame.tsx';

const NAME_CHARS_MAX = 40;

function nameOf(card: MyCard): string {
  const { cards } = words();
  return card.name || cards.unnamed(cards.kinds[card.kind], card.card_id.slice(-4));
}

export function Cards() {
  const { cards } = words();
  const [asked, setAsked] = useState<{ what: 'revoke' | 'rename'; card: MyCard }>();
  const action = useAction();
  useEffect(() => {
    void action.run(refresh);
  }, []);
  const all = me.value?.me.cards ?? [];
  return (
    <Frame title={cards.title} below>
      <Fault action={action} />
      <ul class="plain panel entries">
        {all.map((card) => (
          <li class="entry" key={card.card_id}>
            <p class="entry-name">
              {nameOf(card)} {card.this && <span class="tag">{cards.this}</span>}
            </p>
            <p class="hint">
              {cards.kinds[card.kind]}{' '}
              {card.revoked_at ? cards.revoked(card.revoked_at) : cards.since(card.enrolled_at)}
            </p>
            {card.status === 'active' && (
              <div class="row">
                <button
                  type="button"
                  aria-label={cards.renameOf(nameOf(card))}
                  onClick={() => setAsked({ what: 'rename', card })}
                >
                  {cards.rename}
                </button>
                <button
                  type="button"
                  class="danger"
                  aria-label={cards.revokeOf(nameOf(card))}
                  onClick={() => setAsked({ what: 'revoke', card })}
                >
                  {cards.revoke}
                </button>
              </div>
            )}
          </li>
        ))}
      </ul>
      {asked?.what === 'revoke' && <Revoke card={asked.card} onClose={() => setAsked(undefined)} />}
      {asked?.what === 'rename' && <Rename card={asked.card} onClose={() => setAsked(undefined)} />}
    </Frame>
  );
}

interface AboutCard {
  card: MyCard;
  onClose: () => void;
}

function Revoke({ card, onClose }: AboutCard) {
  const { cards, cancel } = words();
  const action = useAction();
  const stop = (): Promise<void> =>
    action.run(async () => {
      await ask(`/v1/me/cards/${card.card_id}`, { method: 'DELETE' });
      announce(cards.stopped(nameOf(card)));
      onClose();
      await refresh();
    });
  return (
    <Dialog title={cards.sure(nameOf(card))} onClose={onClose}>
      <p>{cards.sureText}</p>
      {card.this && <p class="note bad">{cards.sureThis}</p>}
      <Fault action={action} />
      <div class="row">
        <button type="button" class="danger" aria-disabled={action.busy} onClick={stop}>
          {cards.stop}
        </button>
        <button type="button" onClick={onClose}>
          {cancel}
        </button>
      </div>
    </Dialog>
  );
}

function Rename({ card, onClose }: AboutCard) {
  const { cards, cancel, save } = words();
  const [name, setName] = useState(card.name);
  const action = useAction();
  const submit = (event: Event): void => {
    event.preventDefault();
    void action.run(async () => {
      await ask(`/v1/me/cards/${card.card_id}`, { method: 'PATCH', body: { name: name.trim() } });
      onClose();
      await refresh();
    });
  };
  return (
    <Dialog title={cards.renameOf(nameOf(card))} onClose={onClose}>
      <form class="field" onSubmit={submit}>
        <label for="card-name">{cards.name}</label>
        <input
          id="card-name"
          required
          maxLength={NAME_CHARS_MAX}
          autoComplete="off"
          value={name}
          aria-describedby="card-name-hint"
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <p class="hint" id="card-name-hint">
          {cards.nameHint}
        </p>
        <Fault action={action} />
        <div class="row">
          <button type="submit" class="primary" aria-disabled={action.busy}>
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
