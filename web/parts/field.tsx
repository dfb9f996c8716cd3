import { type InputHTMLAttributes, type ReactNode, type TextareaHTMLAttributes, useId } from 'react';

interface Labelled {
  label: string;
  hint?: string | undefined;
  /** What is wrong with what stands in it. */
  fault?: string | undefined;
}

export function Field({ label, hint, fault, ...input }: Labelled & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <Frame label={label} hint={hint} fault={fault}>
      {(given) => <input {...given} {...input} />}
    </Frame>
  );
}

/** A field for more than a line. */
export function LongField({ label, hint, fault, ...area }: Labelled & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <Frame label={label} hint={hint} fault={fault} isLong>
      {(given) => <textarea {...given} {...area} />}
    </Frame>
  );
}

interface FrameProps extends Labelled {
  isLong?: boolean;
  children: (given: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }) => ReactNode;
}

function Frame({ label, hint, fault, isLong = false, children }: FrameProps) {
  const id = useId();
  const noteId = useId();
  const note = fault ?? hint;
  return (
    <div className={isLong ? 'field long' : 'field'}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        ...(note ? { 'aria-describedby': noteId } : {}),
        ...(fault ? { 'aria-invalid': true as const } : {}),
      })}
      {note && (
        <small id={noteId} className={fault ? 'fault' : 'quiet'}>
          {note}
        </small>
      )}
    </div>
  );
}
