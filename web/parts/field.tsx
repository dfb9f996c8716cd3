import { type InputHTMLAttributes, useId } from 'react';

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: string;
  /** What is wrong with what stands in it. */
  fault?: string | undefined;
}

export function Field({ label, hint, fault, ...input }: FieldProps) {
  const id = useId();
  const noteId = useId();
  const note = fault ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} aria-describedby={note ? noteId : undefined} aria-invalid={fault ? true : undefined} {...input} />
      {note && (
        <small id={noteId} className={fault ? 'fault' : 'quiet'}>
          {note}
        </small>
      )}
    </div>
  );
}
