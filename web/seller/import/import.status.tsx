import { useState } from 'react';
import '../../style/import.css';
import { useImportTexts } from '../../i18n/import.texts.js';
import { linkTo } from '../../route.js';
import { useThrottledStore } from '../../store.js';
import { continueImport, dismissImport, type ImportRun, importRun, stopImport, undoImport } from './import.run.js';

/** Where the import is, on every screen of the panel, for it runs on while its user does other things. */
export function ImportStatus({ section }: { section: string }) {
  const t = useImportTexts();
  const run = useThrottledStore(importRun);
  if (!run) return null;
  return (
    <section className="card import-status" aria-label={t.running(run.fileName)} data-state={run.state}>
      {run.state === 'running' || run.state === 'undoing' ? <Progress run={run} /> : <Outcome run={run} />}
      {section !== 'import' && (run.state === 'stopped' || run.toFix > 0) && (
        <a href={linkTo('panel', 'import')}>{t.open}</a>
      )}
    </section>
  );
}

function Progress({ run }: { run: ImportRun }) {
  const t = useImportTexts();
  const isUndoing = run.state === 'undoing';
  const [done, total] = isUndoing ? [run.undone + run.kept, run.toUndo] : [run.done, run.total];
  return (
    <>
      <span role="status">{isUndoing ? t.undoing : t.running(run.fileName)}</span>
      <progress value={done} max={Math.max(1, total)} aria-label={t.running(run.fileName)} />
      <span className="quiet">{t.progress(done, total)}</span>
      {!isUndoing && (
        <button type="button" className="secondary small" onClick={stopImport}>
          {t.stop}
        </button>
      )}
    </>
  );
}

function Outcome({ run }: { run: ImportRun }) {
  const t = useImportTexts();
  const { fileName, state, done, total, added, updated, toFix, undone, kept } = run;
  const result = t.result(added, updated, toFix);
  const text = {
    ...{ running: '', undoing: '', done: result, undone: t.undone(undone, kept) },
    stopped: `${t.stopped(done, total)} ${result}`,
    interrupted: `${t.interrupted(fileName, done, total)} ${result}`,
  }[state];
  const canUndo = state !== 'undone' && added + updated > 0;
  return (
    <>
      <span role="status">{text}</span>
      {state === 'stopped' && (
        <button type="button" className="small" onClick={continueImport}>
          {t.goOn}
        </button>
      )}
      {canUndo && <UndoButton />}
      <button type="button" className="quiet-button" onClick={dismissImport}>
        {state === 'stopped' ? t.discard : t.dismiss}
      </button>
    </>
  );
}

/** Asks before it takes hundreds of books off the shelf. */
function UndoButton() {
  const t = useImportTexts();
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) {
    return (
      <button type="button" className="secondary small" onClick={() => setAsking(true)}>
        {t.undo}
      </button>
    );
  }
  return (
    <>
      <button type="button" className="danger small" onClick={undoImport}>
        {t.confirmUndo}
      </button>
      <button type="button" className="secondary small" onClick={() => setAsking(false)}>
        {t.keep}
      </button>
    </>
  );
}
