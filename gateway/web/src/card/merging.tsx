// A link that would merge two members is asked about first: it cannot be undone by the shopper.

import { useState } from 'preact/hooks';
import { announce } from '../kit/announce.tsx';
import { Problem } from '../kit/api.ts';
import { Dialog } from '../kit/dialog.tsx';
import { type Action, Fault, useAction } from './action.tsx';
import type { Linked } from './gateway.ts';
import { refresh } from './session.ts';
import { words } from './words.ts';

type Send = (agree_to_merge: boolean) => Promise<Linked>;

export interface Linking {
  action: Action;
  /** Sends, and asks the shopper if the gateway says that it would merge. */
  link: (send: Send, done: () => void) => Promise<void>;
  /** The question, while it stands. */
  question: { number: string; agree: () => Promise<void>; close: () => void; action: Action } | undefined;
}

export function useLinking(): Linking {
  const action = useAction();
  const agreed = useAction();
  const [open, setOpen] = useState<{ number: string; send: Send; done: () => void }>();
  const finish = async (linked: Linked, done: () => void): Promise<void> => {
    const { link } = words();
    announce(linked.outcome === 'merged' ? link.merged(linked.member_no) : link.linked);
    setOpen(undefined);
    done();
    await refresh();
  };
  const link = (send: Send, done: () => void): Promise<void> =>
    action.run(async () => {
      try {
        await finish(await send(false), done);
      } catch (error) {
        if (!(error instanceof Problem && error.word === 'would_merge')) throw error;
        setOpen({ number: /[*0-9]*[0-9]{4}/.exec(error.detail)?.[0] ?? '', send, done });
      }
    });
  const question = open && {
    number: open.number,
    agree: () => agreed.run(async () => finish(await open.send(true), open.done)),
    close: () => setOpen(undefined),
    action: agreed,
  };
  return { action, link, question };
}

export function MergeQuestion({ question }: { question: NonNullable<Linking['question']> }) {
  const { link, cancel } = words();
  return (
    <Dialog title={link.mergeTitle} onClose={question.close}>
      <p>{link.mergeText(question.number)}</p>
      <Fault action={question.action} />
      <div class="row">
        <button type="button" class="primary" aria-disabled={question.action.busy} onClick={question.agree}>
          {link.merge}
        </button>
        <button type="button" onClick={question.close}>
          {cancel}
        </button>
      </div>
    </Dialog>
  );
}
