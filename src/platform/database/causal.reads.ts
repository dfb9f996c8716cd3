/**
 * Variables that a node of a cluster has. Galera's are those of MariaDB and Percona; MySQL has Group Replication's once its
 * plugin is loaded.
 */
export const CLUSTER_VARIABLES_SQL = `SHOW GLOBAL VARIABLES WHERE Variable_name IN
  ('wsrep_on', 'group_replication_group_name', 'group_replication_consistency')`;

/** Galera: SELECT, UPDATE, DELETE and INSERT wait, if they are the first of their transaction. */
const GALERA = 'wsrep_sync_wait = @@GLOBAL.wsrep_sync_wait | 7';
const GROUP_REPLICATION = "group_replication_consistency = 'BEFORE'";
/** Levels of Group Replication with which a read may miss what another member has acknowledged. */
const STALE_LEVELS = ['EVENTUAL', 'BEFORE_ON_PRIMARY_FAILOVER'];

/**
 * Session variables with which each read at a node of a cluster waits for all that any node has acknowledged; none on a single
 * server. Without them a hub on a node that is behind would tell a returning client that its events do not exist, and take
 * a COMMIT whose answer was lost for one that failed.
 */
export function causalReads(variables: ReadonlyMap<string, string>): string[] {
  const isGalera = variables.get('wsrep_on') === 'ON';
  const isGroup = (variables.get('group_replication_group_name') ?? '') !== '';
  const isStale = STALE_LEVELS.includes(variables.get('group_replication_consistency') ?? '');
  return [...(isGalera ? [GALERA] : []), ...(isGroup && isStale ? [GROUP_REPLICATION] : [])];
}
