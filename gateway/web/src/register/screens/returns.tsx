// Refund by receipt number: which pieces, what the gateway says it does, and only then the confirmation. Or the whole sale undone.

import { useEffect, useRef, useState } from 'preact/hooks';
import { instant, points, yen } from '../../kit/format.ts';
import type { Register } from '../register.ts';
import { findReceipt, latestReceipts, type Pieces, type Quote, quote, refund } from '../returns.ts';
import { returnable, type SaleRecord } from '../sale/draft.ts';
import { verdictWords } from '../verdict-words.ts';
import { words } from '../words.ts';
import { useFocusInDialog } from './focus.ts';
import { Fact } from './receipt.tsx';

export function Returns({ register, onClose }: { register: Register; onClose: () => void }) {
  const [number, setNumber] = useState('');
  const [record, setRecord] = useState<SaleRecord>();
  const [missing, setMissing] = useState(false);
  const [latest, setLatest] = useState<SaleRecord[]>([]);
  const text = words().refund;
  const field = useRef<HTMLInputElement>(null);
  useFocusInDialog(field);
  useEffect(() => {
    void latestReceipts(register, 6).then(setLatest);
  }, [register]);
  const find = async (event: Event): Promise<void> => {
    event.preventDefault();
    const found = await findReceipt(register, number);
    setMissing(found === undefined);
    setRecord(found);
  };
  if (record) return <OfReceipt key={record.number} register={register} found={record} onClose={onClose} />;
  return (
    <div class="stack">
      <form class="stack" onSubmit={find}>
        <label class="field">
          <span>{text.number}</span>
          <input
            class="number"
            type="text"
            inputMode="numeric"
            autocomplete="off"
            ref={field}
            value={number}
            onInput={(event) => setNumber(event.currentTarget.value)}
          />
        </label>
        {missing && (
          <p class="note bad" role="alert">
            {text.notFound}
          </p>
        )}
        <div class="row stretch">
          <button type="button" onClick={onClose}>
            {words().close}{' '}
            <span class="key" aria-hidden="true">
              Esc
            </span>
          </button>
          <button type="submit" class="primary">
            {text.find}{' '}
            <span class="key" aria-hidden="true">
              Enter
            </span>
          </button>
        </div>
      </form>
      {latest.length > 0 && (
        <section class="stack">
          <h3>{text.recent}</h3>
          <ul class="plain stack">
            {latest.map((each) => (
              <li key={each.number}>
                <button type="button" class="wide-button" onClick={() => setRecord(each)}>
                  <span class="number">{each.number}</span>
                  <span>{instant(each.occurredAt)}</span>
                  <span class="number">{yen(each.totals.total)}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

type Step = { is: 'which' } | { is: 'quoted'; quote: Quote } | { is: 'done'; quote: Quote | undefined };

function OfReceipt({ register, found, onClose }: { register: Register; found: SaleRecord; onClose: () => void }) {
  const [record, setRecord] = useState(found);
  const left = returnable(record);
  const [pieces, setPieces] = useState<Pieces>(Object.fromEntries(left.map((line) => [line.lineNo, line.quantity])));
  const [step, setStep] = useState<Step>({ is: 'which' });
  const [problem, setProblem] = useState('');
  const text = words().refund;
  const busy = register.asking.value !== undefined;

  const ask = async (): Promise<void> => {
    setProblem('');
    if (Object.values(pieces).every((count) => count === 0)) {
      setProblem(text.nothing);
      return;
    }
    const answer = await quote(register, record, pieces);
    if ('quote' in answer) setStep({ is: 'quoted', quote: answer.quote });
    else setProblem(verdictWords(answer.verdict, 'refund_quote'));
  };
  const confirm = async (quoted: Quote): Promise<void> => {
    setProblem('');
    const answer = await refund(register, record, pieces, quoted);
    setRecord(answer.record);
    if (answer.verdict && answer.verdict.verdict !== 'approved') setProblem(verdictWords(answer.verdict, 'refund'));
    if (answer.record !== record) setStep({ is: 'done', quote: answer.quote });
  };

  const notYet = record.points === 'queued' || record.points === 'asking';
  return (
    <div class="stack">
      <p class="number">
        {text.number} {record.number}
      </p>
      {step.is === 'which' && notYet && <p class="note warn">{text.notYet}</p>}
      {step.is === 'which' && left.length === 0 && <p class="note warn">{text.allReturned}</p>}
      {step.is === 'which' && !notYet && left.length > 0 && (
        <Which record={record} pieces={pieces} onPieces={setPieces} />
      )}
      {step.is !== 'which' && step.quote && <QuoteTable quote={step.quote} title={text.quoted} />}
      {step.is === 'done' && (
        <p class="note good" role="status">
          {text.done}
        </p>
      )}
      {problem !== '' && (
        <p class="note warn" role="alert">
          {problem}
        </p>
      )}
      <div class="row stretch">
        <button type="button" onClick={onClose}>
          {words().close}{' '}
          <span class="key" aria-hidden="true">
            Esc
          </span>
        </button>
        {step.is === 'which' && !notYet && left.length > 0 && (
          <button type="button" class="primary" disabled={busy} onClick={() => void ask()}>
            {busy ? words().working : text.quote}
          </button>
        )}
        {step.is === 'quoted' && (
          <button type="button" class="danger" disabled={busy} onClick={() => void confirm(step.quote)}>
            {busy ? words().working : text.confirm}
          </button>
        )}
      </div>
    </div>
  );
}

function Which(props: { record: SaleRecord; pieces: Pieces; onPieces: (pieces: Pieces) => void }) {
  const { record, pieces, onPieces } = props;
  const text = words().basket;
  return (
    <fieldset class="stack">
      <legend>{words().refund.which}</legend>
      {returnable(record).map((line) => {
        const count = pieces[line.lineNo] ?? 0;
        const set = (next: number) =>
          onPieces({ ...pieces, [line.lineNo]: Math.min(Math.max(next, 0), line.quantity) });
        return (
          <div key={line.lineNo} class="line">
            <span class="name">{line.name}</span>
            <span class="stepper">
              <button type="button" aria-label={text.less(line.name)} onClick={() => set(count - 1)}>
                −
              </button>
              <span class="number">
                {count} / {line.quantity}
              </span>
              <button type="button" aria-label={text.more(line.name)} onClick={() => set(count + 1)}>
                ＋
              </button>
            </span>
            <span class="number amount">{yen(line.price * count)}</span>
          </div>
        );
      })}
    </fieldset>
  );
}

function QuoteTable({ quote, title }: { quote: Quote; title: string }) {
  const text = words().refund;
  const { refund: done } = quote;
  return (
    <section class="stack" aria-label={title}>
      <h3>{title}</h3>
      <dl class="number">
        <Fact name={text.amount} value={yen(quote.amount)} />
        {done ? (
          <>
            <Fact name={text.restored} value={points(done.points_restored)} />
            {done.points_lapsed > 0 && <Fact name={text.lapsed} value={points(done.points_lapsed)} />}
            <Fact name={text.clawed} value={points(done.points_clawed_back)} />
            {done.points_owed > 0 && <Fact name={text.owed} value={points(done.points_owed)} />}
            {done.shortfall_yen > 0 && <Fact name={text.shortfall} value={yen(done.shortfall_yen)} />}
          </>
        ) : (
          <Fact name={text.noPoints} value="" />
        )}
        <Fact name={text.cash} value={yen(quote.cash)} strong />
      </dl>
    </section>
  );
}
