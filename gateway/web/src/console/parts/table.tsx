// A table with its caption. Where it is wider than the screen it scrolls by itself, also by keyboard; the page never
// scrolls sideways.

import type { ComponentChildren } from 'preact';
import { shell } from '../words/shell.ts';

export interface TableColumn<T> {
  name: string;
  cell: (row: T) => ComponentChildren;
  /** Numbers stand at the right, digit under digit. */
  number?: boolean;
  /** The cell names its row. */
  heads?: boolean;
  /** Sentences, which need room to be read. */
  wide?: boolean;
}

export interface TableProps<T> {
  caption: string;
  columns: readonly TableColumn<T>[];
  rows: readonly T[];
  keyOf: (row: T) => string;
  /** The heading above says the same already. */
  quietCaption?: boolean;
}

export function Table<T>({ caption, columns, rows, keyOf, quietCaption = true }: TableProps<T>) {
  if (rows.length === 0) return <p class="hint">{shell().none}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="scrolls" tabIndex={0} aria-label={shell().scrolls(caption)}>
      <table>
        <caption class={quietCaption ? 'unseen' : ''}>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" class={column.number ? 'right' : ''}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => {
                const cell = column.cell(row);
                const style = column.number ? 'right number' : column.wide ? 'wide' : '';
                return column.heads ? (
                  <th key={column.name} scope="row" class={style}>
                    {cell}
                  </th>
                ) : (
                  <td key={column.name} class={style}>
                    {cell}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
