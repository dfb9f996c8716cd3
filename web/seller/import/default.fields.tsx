import { STOCK_MAX } from '../../../src/contract/fields.js';
import { Field } from '../../components/field.js';
import { useImportTexts } from '../../i18n/import.texts.js';
import { parseMoney } from '../../money.js';

/** As typed; the stock is undefined until it is touched. */
export interface DefaultTexts {
  price: string;
  stock?: string;
}

/** What new books get whose row has no price or no stock. */
export function DefaultFields({ texts, onChange }: { texts: DefaultTexts; onChange: (texts: DefaultTexts) => void }) {
  const t = useImportTexts();
  const isBadPrice = texts.price.trim() !== '' && parseMoney(texts.price) === undefined;
  return (
    <div className="fields import-defaults">
      <Field
        label={t.defaultPrice}
        value={texts.price}
        inputMode="decimal"
        autoComplete="off"
        error={isBadPrice ? t.badDefault : undefined}
        onChange={({ target }) => onChange({ ...texts, price: target.value })}
      />
      <Field
        label={t.defaultStock}
        value={texts.stock}
        type="number"
        min={0}
        max={STOCK_MAX}
        onChange={({ target }) => onChange({ ...texts, stock: target.value })}
      />
    </div>
  );
}
