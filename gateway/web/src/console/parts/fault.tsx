// Why something did not go well, in words of the page's language, with the server's own detail beside them. No answer
// is never told as a refusal.

import { NoAnswer, Problem } from '../../kit/api.ts';
import { AnotherPerson, ClientRefused, OpenIdRefused } from '../session.ts';
import { knows, term } from '../terms.ts';
import { shell } from '../words/shell.ts';

/** Whether nobody knows if a change was made. What surely was not begun is told by 4xx and `overloaded` alone. */
export function unknownOutcome(error: unknown): boolean {
  if (error instanceof NoAnswer) return true;
  // `unavailable` may be the word for an answer that came from something before the gateway.
  return error instanceof Problem && error.status >= 500 && !['overloaded', 'not_set_up'].includes(error.word);
}

/** The sentence for a fault. */
export function sentence(error: unknown): string {
  const words = shell();
  if (error instanceof NoAnswer) return words.noAnswer;
  if (error instanceof AnotherPerson) return words.anotherPerson;
  if (error instanceof ClientRefused) return words.problem(term('problem', error.word));
  if (error instanceof OpenIdRefused) return words.openIdRefused;
  if (!(error instanceof Problem)) return words.broken;
  if (error.rule && knows('rule', error.rule)) return words.problem(term('rule', error.rule));
  return words.problem(knows('problem', error.word) ? term('problem', error.word) : `${error.status} ${error.word}`);
}

export function Fault({ error, again }: { error: unknown; again?: () => void }) {
  const words = shell();
  const problem = error instanceof Problem ? error : undefined;
  return (
    <div class="note bad stack" role="alert">
      <p>
        <strong>{sentence(error)}</strong>
      </p>
      {problem?.retry_after_s !== undefined && <p>{words.retryAfter(problem.retry_after_s)}</p>}
      {problem && (problem.detail || problem.errors.length > 0) && (
        <div class="server">
          <span>{words.serverSays}: </span>
          <span lang="en">{problem.detail}</span>
          {problem.errors.length > 0 && (
            <ul lang="en">
              {problem.errors.map((one) => (
                <li key={one.pointer}>
                  <code>{one.pointer}</code> {one.detail}
                </li>
              ))}
            </ul>
          )}
          {problem.request_id && <p class="hint">{words.requestId(problem.request_id)}</p>}
        </div>
      )}
      {again && (
        <div class="row">
          <button type="button" onClick={again}>
            {words.again}
          </button>
        </div>
      )}
    </div>
  );
}
