/** What the driver keeps of a connection and of a statement, and leaves out of its types. */
interface Connection {
  query(...given: unknown[]): Statement;
  /** The statement that the server works on. */
  _command?: Statement;
  /** Those that wait behind it. */
  _commands: { peekBack(): Statement | undefined; toArray(): Statement[] };
  /** Counts the packets of a statement and of its answer. */
  sequenceId: number;
}
interface Statement {
  /** Writes it, and gives what is to read the answer. */
  start(packet: undefined, connection: Connection): unknown;
}

/**
 * Has a connection write each statement at once, those among it that wait for their turn already, where the driver would wait
 * for the answer to the one before. A server does them in their order, one by one, and answers in that order, so that a batch
 * waits for four answers instead of thirteen: a lone `place` takes 1.6 ms instead of 3.1 on MariaDB and 2.9 instead of 4.8 on
 * MySQL, and 256 in flight make 10 to 33 % more. The driver has no such option. Therefore what would wait is written here, and
 * only reads its answer when it is its turn.
 *
 * When a statement fails, those behind it are done all the same: see `Dialect.begin`.
 */
export function pipeline(pooled: object): void {
  const connection = pooled as Connection;
  for (const statement of connection._commands.toArray()) writeAhead(connection, statement);
  const query = connection.query.bind(connection);
  connection.query = (...given) => {
    const statement = query(...given);
    const waits = connection._command !== statement && connection._commands.peekBack() === statement;
    if (waits) writeAhead(connection, statement);
    return statement;
  };
}

function writeAhead(connection: Connection, statement: Statement): void {
  const { sequenceId } = connection;
  connection.sequenceId = 0;
  const readsAnswer = statement.start(undefined, connection);
  const answerFrom = connection.sequenceId;
  connection.sequenceId = sequenceId;
  statement.start = () => {
    connection.sequenceId = answerFrom;
    return readsAnswer;
  };
}
