import { type InputHTMLAttributes, type ReactNode, type Ref, type TextareaHTMLAttributes, useId } from 'react';

interface FieldProps {
  label: string;
  hint?: string | undefined;
  /** Why the value is invalid; shown in place of the hint. */
  error?: string | undefined;
}

interface InputProps extends FieldProps, InputHTMLAttributes<HTMLInputElement> {
  ref?: Ref<HTMLInputElement>;
}

/** For a `ref`, of the field that is typed into first. */
export function focusOnMount(control: HTMLElement | null): void {
  control?.focus();
}

export function Field({ label, hint, error, ...input }: InputProps) {
  return (
    <FieldFrame label={label} hint={hint} error={error}>
      {(control) => <input {...control} {...input} />}
    </FieldFrame>
  );
}

export function TextAreaField({
  label,
  hint,
  error,
  ...area
}: FieldProps & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <FieldFrame label={label} hint={hint} error={error} isMultiline>
      {(control) => <textarea {...control} {...area} />}
    </FieldFrame>
  );
}

interface FieldFrameProps extends FieldProps {
  isMultiline?: boolean;
  /** Renders the control with the attributes that tie it to its label and note. */
  children: (control: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }) => ReactNode;
}

function FieldFrame({ label, hint, error, isMultiline = false, children }: FieldFrameProps) {
  const id = useId();
  const noteId = useId();
  const note = error ?? hint;
  return (
    <div className={isMultiline ? 'field long' : 'field'}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        ...(note ? { 'aria-describedby': noteId } : {}),
        ...(error ? { 'aria-invalid': true as const } : {}),
      })}
      {note && (
        <small id={noteId} className={error ? 'field-error' : 'quiet'}>
          {note}
        </small>
      )}
    </div>
  );
}
