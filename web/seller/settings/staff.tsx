import { type FormEvent, useState } from 'react';
import { PAGE_LIMIT_MAX } from '../../../src/contract/fields.js';
import { rights as allRights, type Right } from '../../../src/contract/rights.js';
import type { MemberView } from '../../../src/contract/staff.js';
import { useRequest } from '../../../src/react/use.request.js';
import { ErrorMessage } from '../../components/error.message.js';
import { Field } from '../../components/field.js';
import { request } from '../../hub.js';
import { useSettingsTexts } from '../../i18n/settings.js';
import { readAll } from '../../pages.js';
import { useTeam } from '../team.js';
import { ConfirmButton } from './confirm.button.js';
import { RightsField, rightsIn } from './rights.field.js';
import { SettingsList } from './settings.list.js';
import { useAction } from './use.action.js';

/** What most people who pack parcels need. */
const USUAL_RIGHTS: readonly Right[] = ['read', 'sell'];

/** What a user can give to others: no right that it lacks, and nobody buys for a seller. */
function useGivable(): Right[] {
  const { rights } = useTeam();
  return allRights.filter((right) => right !== 'buy' && rights.has(right));
}

/** The people who work for the seller, and what each may do. */
export function StaffSettings() {
  const t = useSettingsTexts().staff;
  const team = useTeam();
  const { data, error, reload } = useRequest('staff', () =>
    readAll((after) => request('staff', { limit: PAGE_LIMIT_MAX, ...after })),
  );
  const onChanged = () => {
    reload();
    team.reload();
  };
  const mayChange = team.rights.has('staff');
  return (
    <SettingsList
      texts={t}
      items={data}
      error={error}
      reload={reload}
      form={mayChange && <AddMember onAdded={onChanged} />}
    >
      {(member) => (
        <Member key={`${member.userId} ${member.createdAt} ${member.rights}`} {...{ member, mayChange, onChanged }} />
      )}
    </SettingsList>
  );
}

function AddMember({ onAdded }: { onAdded: () => void }) {
  const t = useSettingsTexts().staff;
  const givable = useGivable();
  const { isBusy, error, run } = useAction();
  const [added, setAdded] = useState<string>();
  const [problem, setProblem] = useState<string>();

  async function add(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const userId = String(new FormData(form).get('userId')).trim();
    const rights = rightsIn(form);
    setAdded(undefined);
    setProblem(rights.length === 0 ? t.noRights : undefined);
    if (rights.length === 0) return;
    if (!(await run(() => request('addMember', { userId, rights })))) return;
    form.reset();
    setAdded(userId);
    onAdded();
  }

  return (
    <form onSubmit={add}>
      <h3>{t.add}</h3>
      <Field label={t.userId} hint={t.userIdHint} name="userId" maxLength={64} autoComplete="off" required />
      <RightsField legend={t.rights} rights={givable} checked={USUAL_RIGHTS} />
      {problem && <p className="field-error">{problem}</p>}
      <ErrorMessage error={error} />
      <p className="actions">
        <button type="submit" disabled={isBusy} aria-busy={isBusy}>
          {t.addDo}
        </button>
        <span role="status">{added !== undefined && t.added(added)}</span>
      </p>
    </form>
  );
}

interface MemberProps {
  member: MemberView;
  mayChange: boolean;
  onChanged: () => void;
}

function Member({ member: { userId, rights }, mayChange, onChanged }: MemberProps) {
  const t = useSettingsTexts();
  const givable = useGivable();
  const { isBusy, error, run } = useAction();
  const [isEditing, setEditing] = useState(false);
  const [problem, setProblem] = useState<string>();
  const names = rights.map((right) => t.rights[right].name).join(t.comma);

  async function change(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const chosen = rightsIn(event.currentTarget);
    setProblem(chosen.length === 0 ? t.staff.noRights : undefined);
    if (chosen.length > 0 && (await run(() => request('addMember', { userId, rights: chosen })))) onChanged();
  }

  return (
    <li>
      <div className="settings-row">
        <span>
          <strong>{userId}</strong> <span className="quiet">{names}</span>
        </span>
        {mayChange && (
          <span className="settings-actions">
            <button
              type="button"
              className="quiet-button"
              aria-expanded={isEditing}
              aria-label={`${t.staff.change}: ${userId}`}
              onClick={() => setEditing(!isEditing)}
            >
              {t.staff.change}
            </button>
            <ConfirmButton
              label={t.staff.remove}
              name={userId}
              disabled={isBusy}
              onConfirm={async () => (await run(() => request('removeMember', { userId }))) && onChanged()}
            />
          </span>
        )}
      </div>
      {isEditing && (
        <form onSubmit={change}>
          <RightsField legend={t.staff.rightsOf(userId)} rights={givable} checked={rights} />
          {problem && <p className="field-error">{problem}</p>}
          <button type="submit" disabled={isBusy} aria-busy={isBusy}>
            {t.save}
          </button>
        </form>
      )}
      <ErrorMessage error={error} />
    </li>
  );
}
