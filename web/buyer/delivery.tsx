import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import {
  choiceOf,
  chooseAddress,
  chosenAddress,
  deleteAddress,
  editAddress,
  isEditingAddress,
  isFull,
  makeDefault,
  NONE,
  type SavedAddress,
  savedAddresses,
  savesTyped,
  TYPED,
  typeAddress,
  typedAddress,
} from '../address.book.js';
import { isAddressEmpty, toDeliverTo } from '../address.js';
import { addressRows } from '../components/deliver.to.js';
import { focusOnMount } from '../components/field.js';
import { needsAddress } from '../hub.js';
import { useAddressTexts } from '../i18n/addresses.js';
import { language as chosenLanguage, useTranslations } from '../i18n/language.js';
import { useStore } from '../store.js';
import { AddressFields } from './address.form.js';

/** Where to send the order: one of the addresses saved on this device, another one, or none where the hub needs none. */
export function Delivery({ disabled }: { disabled: boolean }) {
  const t = useTranslations().address;
  const texts = useAddressTexts();
  const saved = useStore(savedAddresses);
  const isNeeded = useStore(needsAddress);
  const choice = choiceOf(saved, useStore(chosenAddress));
  const [undo, setUndo] = useState<() => void>();
  const remove = (id: string) => {
    const bringBack = deleteAddress(id);
    setUndo(() => bringBack);
  };
  const deleted = undo && (
    <p role="status">
      {texts.deleted}{' '}
      <button
        type="button"
        className="link"
        ref={focusOnMount}
        onClick={() => {
          undo();
          setUndo(undefined);
        }}
      >
        {texts.undo}
      </button>
    </p>
  );
  if (saved.length === 0)
    return (
      <>
        {deleted}
        <TypedAddressForm legend={isNeeded ? t.title : t.optional} disabled={disabled} />
      </>
    );
  return (
    <fieldset className="address-form" disabled={disabled}>
      <legend>{t.title}</legend>
      {saved.map((entry, index) => (
        <SavedChoice
          key={entry.id}
          {...{ entry, disabled }}
          isDefault={index === 0}
          isChosen={choice === entry.id}
          onDelete={() => remove(entry.id)}
        />
      ))}
      <Choice value={TYPED} choice={choice}>
        {texts.another}
      </Choice>
      {choice === TYPED && <TypedAddressForm legend={texts.another} disabled={disabled} />}
      {!isNeeded && (
        <Choice value={NONE} choice={choice}>
          {texts.none}
        </Choice>
      )}
      {deleted}
    </fieldset>
  );
}

interface ChoiceProps {
  value: string;
  choice: string;
  children: ReactNode;
}

function Choice({ value, choice, children }: ChoiceProps) {
  return (
    <label className="address-choice">
      <input type="radio" name="address" checked={value === choice} onChange={() => chooseAddress(value)} />
      <span>{children}</span>
    </label>
  );
}

interface SavedChoiceProps {
  entry: SavedAddress;
  isDefault: boolean;
  isChosen: boolean;
  disabled: boolean;
  onDelete: () => void;
}

function SavedChoice({ entry: { id, address }, isDefault, isChosen, disabled, onDelete }: SavedChoiceProps) {
  const texts = useAddressTexts();
  const language = useStore(chosenLanguage);
  const [isEditing, setEditing] = useState(false);
  const deliverTo = toDeliverTo(address);
  const [name, ...rows] = deliverTo ? addressRows(deliverTo, language) : [];
  return (
    <>
      <Choice value={id} choice={isChosen ? id : ''}>
        <strong>{name}</strong> {isDefault && <small className="quiet">{texts.default}</small>}
        <br />
        <span className="quiet">{rows.join(', ')}</span>
      </Choice>
      {isChosen && isEditing && <EditForm {...{ id, address, disabled }} onDone={() => setEditing(false)} />}
      {isChosen && !isEditing && (
        <p className="address-actions">
          <button type="button" className="quiet-button" onClick={() => setEditing(true)}>
            {texts.edit}
          </button>
          {!isDefault && (
            <button type="button" className="quiet-button" onClick={() => makeDefault(id)}>
              {texts.makeDefault}
            </button>
          )}
          <button type="button" className="quiet-button" onClick={onDelete}>
            {texts.delete}
          </button>
        </p>
      )}
    </>
  );
}

type EditFormProps = SavedAddress & { disabled: boolean; onDone: () => void };

function EditForm({ id, address, disabled, onDone }: EditFormProps) {
  const texts = useAddressTexts();
  const [edited, setEdited] = useState(address);
  useEffect(() => {
    isEditingAddress.set(true);
    return () => isEditingAddress.set(false);
  }, []);
  const save = (event: FormEvent) => {
    event.preventDefault();
    editAddress(id, edited);
    onDone();
  };
  return (
    <form onSubmit={save}>
      <AddressFields
        legend={texts.edit}
        address={edited}
        required
        disabled={disabled}
        onChange={(change) => setEdited((before) => ({ ...before, ...change }))}
      />
      <p className="actions">
        <button type="submit">{texts.saveChanges}</button>
        <button type="button" className="secondary" onClick={onDone}>
          {texts.cancel}
        </button>
      </p>
    </form>
  );
}

function TypedAddressForm({ legend, disabled }: { legend: string; disabled: boolean }) {
  const texts = useAddressTexts();
  const address = useStore(typedAddress);
  const required = useStore(needsAddress) || !isAddressEmpty(address);
  const saves = useStore(savesTyped);
  const hasNoRoom = isFull(useStore(savedAddresses));
  return (
    <AddressFields {...{ legend, address, required, disabled }} onChange={typeAddress}>
      <label className="check">
        <input
          type="checkbox"
          checked={saves && !hasNoRoom}
          disabled={disabled || hasNoRoom}
          onChange={({ target }) => savesTyped.set(target.checked)}
        />{' '}
        {texts.save}
      </label>
      {hasNoRoom && <small className="quiet">{texts.full}</small>}
    </AddressFields>
  );
}
