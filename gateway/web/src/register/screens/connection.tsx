// What the line is doing: open requests, retries, reversals, the queue of sales told afterwards; and what a person has to look at.

import { time, yen } from '../../kit/format.ts';
import { KEYS } from '../keys.ts';
import type { Attention, Register } from '../register.ts';
import type { Known, Work } from '../till/book.ts';
import { verdictWords } from '../verdict-words.ts';
import { words } from '../words.ts';

export function ConnectionMark({ register, onPress }: { register: Register; onPress: () => void }) {
  register.keeper.changes.value;
  const { machine } = register.keeper;
  const open = machine.book.unsettled;
  const attention = register.attention.value.length;
  const bad = machine.isAway || machine.operator !== undefined || register.journalFault.value || attention > 0;
  const text = words();
  return (
    <button type="button" class={bad ? 'mark bad' : 'mark'} aria-keyshortcuts={KEYS.connection} onClick={onPress}>
      <span aria-hidden="true">{bad ? '▲' : '●'}</span> {text.action.connection}
      {open > 0 && <span class="count">{text.connection.waiting(open)}</span>}
      {attention > 0 && <span class="count">{text.connection.attention}</span>}
      <span class="key" aria-hidden="true">
        {KEYS.connection}
      </span>
    </button>
  );
}

export function Connection({ register, onClose }: { register: Register; onClose: () => void }) {
  register.keeper.changes.value;
  const { machine, wire } = register.keeper;
  const text = words().connection;
  const work = machine.book.work();
  const wrongBy = wire.skew.wrongBySeconds;
  return (
    <div class="stack">
      {machine.operator !== undefined ? (
        <p class="note bad">{text.operator(machine.operator)}</p>
      ) : (
        <p class={machine.isAway ? 'note warn' : 'note good'}>{machine.isAway ? text.away : text.good}</p>
      )}
      {!register.isPersistent.value && <p class="note warn">{text.notPersistent}</p>}
      {register.journalFault.value && <p class="note bad">{text.journal}</p>}
      {wrongBy !== 0 && <p class="note warn">{text.clock(wrongBy)}</p>}
      {work.length === 0 ? (
        <p class="hint">{text.none}</p>
      ) : (
        <table>
          <caption class="unseen">{text.waiting(work.length)}</caption>
          <thead>
            <tr>
              <th scope="col">{text.what}</th>
              <th scope="col">{text.state}</th>
              <th scope="col">{text.since}</th>
            </tr>
          </thead>
          <tbody>
            {work.map(({ id, known, work }) => (
              <tr key={id}>
                <td>{nameOf(known)}</td>
                <td>{stateOf(register, id, work)}</td>
                <td>{time(known.request.at)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <AttentionList register={register} />
      <button type="button" onClick={onClose}>
        {words().close}{' '}
        <span class="key" aria-hidden="true">
          Esc
        </span>
      </button>
    </div>
  );
}

function nameOf({ request }: Known): string {
  const text = words().connection;
  return request.body['advice'] === undefined ? text.operations[request.operation] : text.advice;
}

function stateOf(register: Register, id: string, work: Work): string {
  const text = words().connection;
  const live = register.keeper.machine.liveOf(id);
  if (live.sending) return text.sending;
  if (work === 'learn') return text.learning;
  return live.tries ? text.retrying : text.queued;
}

function attentionWords({ verdict, operation, given }: Attention): string {
  if (verdict.verdict !== 'approved' || !given) return verdictWords(verdict, operation);
  return words().connection.given(yen(given.yen), yen(given.due));
}

function AttentionList({ register }: { register: Register }) {
  const text = words().connection;
  if (register.attention.value.length === 0) return null;
  return (
    <section class="stack">
      <h3>{text.attention}</h3>
      <ul class="plain stack">
        {register.attention.value.map((entry) => (
          <li key={entry.id} class="note bad row apart">
            <span>
              {text.late(text.operations[entry.operation], entry.receipt)} {time(entry.at)}: {attentionWords(entry)}
            </span>
            <button type="button" onClick={() => void register.dismiss(entry.id)}>
              {text.dismiss}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
