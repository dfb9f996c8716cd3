import { useMemo, useState } from 'react';
import { LoadError } from '../../components/error.message.js';
import { useImportTexts } from '../../i18n/import.texts.js';
import { parseMoney } from '../../money.js';
import { useStore, useThrottledStore } from '../../store.js';
import type { RowToWrite } from './book.writer.js';
import { DefaultFields, type DefaultTexts } from './default.fields.js';
import { Difference } from './difference.js';
import { decodeAs, decodeFile, type Encoding } from './encoding.js';
import { FixList } from './fix.list.js';
import { importRun, type RowsToFix, type RowToFix, rowsToFix, startImport } from './import.run.js';
import { ColumnPreview } from './preview.js';
import { type Source, SourceChooser, SourceSettings } from './source.js';
import { usePlan, useTable, useTargets } from './use.plan.js';

/** Adds and updates books from a table. Nothing is written before the seller has seen what would change. */
export function ImportPage({ storeId }: { storeId: string }) {
  const t = useImportTexts();
  const run = useThrottledStore(importRun);
  const [source, setSource] = useState<Source>();
  // A new file starts with what is found in it, not with what was chosen for another one.
  const [fileNumber, setFileNumber] = useState(0);
  const isActive = run?.state === 'running' || run?.state === 'undoing';
  /** The shelf is read again after an import and after its undoing. */
  const generation = isActive ? 'active' : `${run?.id} ${run?.state}`;
  return (
    <section className="card import" aria-label={t.title}>
      <h2>{t.title}</h2>
      <p className="quiet">{t.intro}</p>
      <SourceChooser
        source={source}
        onChoose={(chosen) => {
          setSource(chosen);
          setFileNumber(fileNumber + 1);
        }}
      />
      {source && (
        <SourcePlan
          key={fileNumber}
          source={source}
          storeId={storeId}
          generation={generation}
          isActive={isActive}
          onStart={(rows, toFix) => {
            startImport(storeId, source.name, rows, toFix);
            setSource(undefined);
          }}
        />
      )}
      {!source && <RemainingRows />}
    </section>
  );
}

/** The rows that the import has left to its user. */
function RemainingRows() {
  const { columns, rows } = useStore(rowsToFix);
  return rows.length > 0 ? <FixList columns={columns} rows={rows} /> : null;
}

interface SourcePlanProps {
  source: Source;
  storeId: string;
  generation: string;
  isActive: boolean;
  onStart: (rows: RowToWrite[], toFix: RowsToFix) => void;
}

/** From the bytes of a file to what would change: each step shows what was found, and can be corrected. */
function SourcePlan({ source, storeId, generation, isActive, onStart }: SourcePlanProps) {
  const t = useImportTexts();
  const [encoding, setEncoding] = useState<Encoding>();
  const [separator, setSeparator] = useState<string>();
  const [attempt, setAttempt] = useState(0);
  const [defaults, setDefaults] = useState<DefaultTexts>({ price: '' });
  const found = useMemo(() => decodeSource(source, encoding), [source, encoding]);
  const read = useTable(found.text, separator);
  const table = read.isBusy ? undefined : (read.value ?? undefined);
  const [targets, setTarget] = useTargets(table);
  const stockText = defaults.stock ?? (targets.includes('stock') && table?.format !== 'isbns' ? '' : '1');
  const price = parseMoney(defaults.price);
  const stock = /^\d{1,7}$/.test(stockText) ? Number(stockText) : undefined;
  const { plan, isBusy, error } = usePlan({
    ...{ storeId, table, targets, price, stock },
    generation: `${generation} ${attempt}`,
  });

  if (!read.isBusy && read.value === null) return <p role="alert">{t.badJson}</p>;
  if (!table) return <p role="status">{t.comparing}</p>;
  const toFix = (plan?.rows ?? []).filter((row): row is RowToFix => row.kind === 'toFix');
  const toWrite = (plan?.rows ?? []).filter((row): row is RowToWrite => row.kind === 'new' || row.kind === 'changed');
  return (
    <>
      <SourceSettings
        {...{ source, table }}
        encoding={'bytes' in source ? found.encoding : undefined}
        onEncoding={setEncoding}
        onSeparator={setSeparator}
      />
      {table.rows.length === 0 && table.leftOut === 0 && <p role="status">{t.empty}</p>}
      {table.rows.length > 0 && (
        <>
          <ColumnPreview key={table.columns.join('\n')} table={table} targets={targets} onChoose={setTarget} />
          <DefaultFields texts={{ ...defaults, stock: stockText }} onChange={setDefaults} />
        </>
      )}
      {error === undefined ? (
        <Difference
          {...{ plan, table }}
          isBusy={isBusy}
          isDisabled={isActive}
          count={toWrite.length}
          onStart={() => onStart(toWrite, { columns: table.columns, rows: toFix })}
        />
      ) : (
        <LoadError error={error} retry={() => setAttempt(attempt + 1)} />
      )}
      {toFix.length > 0 && <FixList columns={table.columns} rows={toFix} />}
    </>
  );
}

function decodeSource(source: Source, chosen: Encoding | undefined): { text: string; encoding: Encoding } {
  if (!('bytes' in source)) return { text: source.text, encoding: 'utf-8' };
  return chosen ? { text: decodeAs(source.bytes, chosen), encoding: chosen } : decodeFile(source.bytes);
}
