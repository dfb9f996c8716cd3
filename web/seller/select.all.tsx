interface SelectAllProps {
  ids: string[];
  selected: ReadonlySet<string>;
  /** Until the list is complete: "all" must not mean a part. */
  disabled: boolean;
  label: string;
  onSelect(ids: string[], isSelected: boolean): void;
}

/** Selects all orders of a list, or none. */
export function SelectAll({ ids, selected, disabled, label, onSelect }: SelectAllProps) {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={ids.every((orderId) => selected.has(orderId))}
        disabled={disabled}
        onChange={({ target }) => onSelect(ids, target.checked)}
      />
      {label}
    </label>
  );
}
