/** The driver's private parts of a connection. */
interface Connection {
  query(...parameters: unknown[]): Statement;
  /** The statement whose answer is being read. */
  _command?: Statement;
  /** Statements queued behind it. */
  _commands: { peekBack(): Statement | undefined; toArray(): Statement[] };
  /** Counts the packets of a statement and of its answer. */
  sequenceId: number;
}
interface Statement {
  /** Sends the statement, and returns the handler of its answer. */
  start(packet: undefined, connection: Connection): unknown;
}

/**
 * Makes a connection send each statement at once, including those already queued, instead of after the answer to the previous
 * one, which is all that the driver offers. The server executes and answers them in order, so that a batch waits for four round
 * trips instead of thirteen: a lone `place` takes 1.6 instead of 3.1 ms on MariaDB and 2.9 instead of 4.8 ms on MySQL, and with
 * 256 in flight the throughput is 10 to 33 % higher.
 *
 * When a statement fails, those behind it are executed all the same: see `Dialect.begin`.
 */
export function pipelineStatements(pooledConnection: object): void {
  const connection = pooledConnection as Connection;
  for (const statement of connection._commands.toArray()) sendAhead(connection, statement);
  const query = connection.query.bind(connection);
  connection.query = (...parameters) => {
    const statement = query(...parameters);
    const isQueued = connection._command !== statement && connection._commands.peekBack() === statement;
    if (isQueued) sendAhead(connection, statement);
    return statement;
  };
}

/** Sends a queued statement now, and replaces its `start` with one that only reads the answer. */
function sendAhead(connection: Connection, statement: Statement): void {
  const { sequenceId } = connection;
  connection.sequenceId = 0;
  const answerHandler = statement.start(undefined, connection);
  const answerSequenceId = connection.sequenceId;
  connection.sequenceId = sequenceId;
  statement.start = () => {
    connection.sequenceId = answerSequenceId;
    return answerHandler;
  };
}
