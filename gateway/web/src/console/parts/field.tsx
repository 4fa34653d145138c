// A named field with its hint and what is wrong with it, tied together for screen readers.

import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

export interface FieldProps {
  label: string;
  hint?: string | undefined;
  fault?: string | undefined;
  children: (given: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: 'true' }) => ComponentChildren;
}

export function Field({ label, hint, fault, children }: FieldProps) {
  const id = useId();
  const about = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, ...(about && { 'aria-describedby': about }), ...(fault && { 'aria-invalid': 'true' as const }) })}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {fault && (
        <p class="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
    </div>
  );
}

/** What an input may be told beside its value. */
interface InputProps {
  type?: 'text' | 'password' | 'date';
  name?: string;
  inputMode?: 'text' | 'numeric' | 'email' | 'url';
  autocomplete?: string;
  autocapitalize?: 'off' | 'sentences';
  placeholder?: string;
  required?: boolean;
  readOnly?: boolean;
}

export interface TextFieldProps extends InputProps {
  label: string;
  value: string;
  change: (value: string) => void;
  hint?: string | undefined;
  fault?: string | undefined;
}

/** A line of text. */
export function TextField({ label, value, change, hint, fault, type = 'text', ...input }: TextFieldProps) {
  return (
    <Field label={label} hint={hint} fault={fault}>
      {(given) => (
        <input
          // The kinds of inputs are a union of attributes; this one only takes those that all of them have.
          type={type as 'text'}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          {...input}
          {...given}
          value={value}
          onInput={(event) => change(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

export interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [value: T, name: string])[];
  change: (value: T) => void;
  hint?: string | undefined;
}

/** One of several. */
export function Choice<T extends string>({ label, value, options, change, hint }: ChoiceProps<T>) {
  return (
    <Field label={label} hint={hint}>
      {(given) => (
        <select {...given} value={value} onChange={(event) => change(event.currentTarget.value as T)}>
          {options.map(([option, name]) => (
            <option key={option} value={option}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
