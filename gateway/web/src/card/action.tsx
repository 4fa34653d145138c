// A button's work: one at a time, with what went wrong in plain words beside it.

import { useEffect, useRef, useState } from 'preact/hooks';
import { announce } from '../kit/announce.tsx';
import { NoAnswer, Problem } from '../kit/api.ts';
import { words } from './words.ts';

export interface Action {
  busy: boolean;
  fault: string | undefined;
  run: (work: () => Promise<void>) => Promise<void>;
  clear: () => void;
}

export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>(undefined);
  const there = useRef(true);
  useEffect(
    () => () => {
      there.current = false;
    },
    [],
  );
  return {
    busy,
    fault: fault === undefined ? undefined : faultText(fault),
    clear: () => setFault(undefined),
    run: async (work) => {
      if (busy) return;
      setBusy(true);
      setFault(undefined);
      try {
        await work();
      } catch (error) {
        if (there.current) {
          setFault(error);
          announce(faultText(error));
        }
      } finally {
        if (there.current) setBusy(false);
      }
    },
  };
}

/** What went wrong, as somebody reads it who only wants their card. */
export function faultText(error: unknown): string {
  const { fault } = words();
  if (error instanceof NoAnswer) return fault.noAnswer;
  if (!(error instanceof Problem)) return fault.other('');
  switch (error.word) {
    case 'rate_limited':
      return error.retry_after_s === undefined ? fault.rateSoon : fault.rate(Math.max(1, error.retry_after_s));
    case 'not_set_up':
      return fault.notSetUp;
    case 'overloaded':
    case 'unavailable':
    case 'outcome_unknown':
      return fault.busy;
    case 'validation_failed':
      return fault.input;
    case 'conflict':
      return ruleText(error);
    default:
      return fault.other(error.request_id ?? '');
  }
}

function ruleText(error: Problem): string {
  const { fault } = words();
  switch (error.rule) {
    case 'unknown_code':
      return fault.unknownCode;
    case 'too_many_attempts':
      return fault.attempts;
    case 'already_merged':
      return fault.alreadyMerged;
    case 'member_blocked':
      return fault.blocked;
    case 'too_many_records':
    case 'amount_too_large':
      return fault.tooMany;
    case 'earns_only':
      return fault.earnsOnly;
    case 'too_many_passes':
      return fault.passes;
    default:
      return fault.other(error.request_id ?? '');
  }
}

/** Where the fault of an action is shown. */
export function Fault({ action }: { action: Action }) {
  return action.fault ? <p class="fault">{action.fault}</p> : null;
}
