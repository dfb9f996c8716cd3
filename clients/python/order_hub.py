"""A client of the order hub for Python, in one file: commands that take effect once, and events without a gap.

    token = login('http://127.0.0.1:3000', 'bob', 'a password')
    with OrderHub('http://127.0.0.1:3000', token) as hub:
        order = hub.call('order:place', storeId='corner', items=[{'bookId': 'b1', 'count': 1}])
        hub.call('order:pay', orderId=order['orderId'])
        for event in hub.events():
            print(event['role'], event['seq'], event['status'])

It needs `python-socketio` 5 with `requests`, and `websocket-client` for WebSocket; Debian names them python3-socketio,
python3-requests and python3-websocket. The messages, routes and errors are those of the hub's /docs.
"""

import queue
import random
import secrets
import threading
import time

import requests
import socketio

__all__ = ['HubError', 'OrderHub', 'login', 'register']

ROLES = ('buyer', 'seller')
# Messages without an effect, which take no idempotency key.
READS = frozenset({'order:get', 'order:list', 'room:read'})

# The hub answers every request within five seconds; without an answer the connection counts as dead.
ANSWER_SECONDS = 6
FIRST_BACKOFF_SECONDS = 0.25
BACKOFF_SECONDS_MAX = 8
_END = object()


class HubError(Exception):
    """An error of the hub: `code`, a sentence, and `details`; `retryable` if sending the same again can succeed."""

    def __init__(self, code, message, retryable=False, details=None):
        super().__init__(f'{code}: {message}')
        self.code = code
        self.message = message
        self.retryable = retryable
        self.details = details

    @classmethod
    def of(cls, body):
        """From the body that every error of the hub has."""
        return cls(body['code'], body['message'], body['retryable'], body.get('details'))


def register(url, user_id, password):
    """Registers a user, whose id is given once and for all."""
    _request(url, 'POST', '/auth/register', {'userId': user_id, 'password': password})


def login(url, user_id, password):
    """Returns a session's token."""
    return _request(url, 'POST', '/auth/login', {'userId': user_id, 'password': password})['token']


class OrderHub:
    """A connection that is made again whenever it is lost.

    `token` is a session's or an API key. `last` holds the numbers of the last events seen, by role, as `hub.last` of an
    earlier run does: what came after them is delivered first. Without it, events begin with the next one. `acting_for`
    is the seller for whom a member of staff acts. `transports` is `['websocket']`, `['polling']` or, unless given,
    polling upgraded to WebSocket.
    """

    def __init__(self, url, token, *, last=None, acting_for=None, transports=None):
        self.url = url.rstrip('/')
        # The numbers of the last events that `events` has returned: to be stored with what they have caused.
        self.last = dict(last or {})
        self._token = token
        self._acting_for = acting_for
        self._transports = transports
        self._received = dict(self.last)
        # Events by role and number that wait for those before them: each packet is handled in a thread of its own.
        self._early = {role: {} for role in ROLES}
        self._events = queue.Queue()
        self._listeners = {}
        self._changed = threading.Condition()
        # The latest connection, and the same once it has joined its rooms.
        self._connection = None
        self._socket = None
        self._error = None
        self._is_closed = False
        self._reconnect_at = 0.0  # By `time.monotonic`.
        self._keeper = threading.Thread(target=self._keep_connected, daemon=True, name='order-hub')
        self._keeper.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the connection. Unanswered calls raise."""
        self._end(HubError('CLOSED', 'The client was closed.'))
        self._keeper.join(ANSWER_SECONDS)

    def call(self, message, *, key=None, timeout=60, **fields):
        """Sends a message and returns the data of its answer, after as many attempts as it takes.

        A command gets an idempotency key unless `key` gives one, so it takes effect once however often it is sent.
        Raises HubError if the hub refuses it, and TimeoutError, with the `key` to go on with, if it is not answered in
        `timeout` seconds: whether it took effect is then unknown.
        """
        if message not in READS:
            fields['key'] = key or secrets.token_hex(16)
        ends_at = time.monotonic() + timeout
        failures = 0
        while True:
            connection = self._connected(ends_at, fields)
            answer = self._ask(connection, message, fields, ends_at)
            if answer is None:
                continue
            if answer['ok']:
                return answer['data']
            error = HubError.of(answer['error'])
            if not error.retryable:
                raise error
            failures += 1
            _pause(failures, error, ends_at, fields)

    def http(self, method, path, body=None, *, params=None, key=None, timeout=60):
        """Sends an HTTP request of the hub's API and returns the JSON of its answer, other text, or None if it is empty.

        Where an answer is lost, the request is sent again; a POST only with an idempotency `key`, which commands take.
        """
        return _request(
            self.url, method, path, body, params=params, key=key, timeout=timeout,
            token=self._token, acting_for=self._acting_for,
        )

    def on(self, name, listener):
        """Calls the listener with each push of this name that has no number, such as `wallet:changed`, in any thread.

        `reset` is called with a role when events were missed that the hub no longer keeps: read the lists again.
        """
        self._listeners.setdefault(name, []).append(listener)

    def events(self):
        """Returns the events of the user's rooms as they come, each room's in order and without a gap, for ever.

        Raises HubError once the connection has ended for good, and returns once the client is closed.
        """
        while (event := self.next_event()) is not None:
            yield event

    def next_event(self, timeout=None):
        """Returns the next event, or None if none comes in `timeout` seconds or the client is closed."""
        try:
            event = self._events.get(timeout=timeout)
        except queue.Empty:
            return None
        if event is _END:
            self._events.put(_END)
            if self._error.code == 'CLOSED':
                return None
            raise self._error
        self.last[event['role']] = event['seq']
        return event

    def wait_ready(self, timeout=60):
        """Waits until the socket has joined its rooms: from then on no event is missed."""
        self._connected(time.monotonic() + timeout, {})

    # The connection

    def _keep_connected(self):
        failures = 0
        while not self._is_closed:
            if self._connect_once():
                failures = 0
            failures += 1
            delay = max(self._reconnect_at - time.monotonic(), _backoff(failures))
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed, delay)

    def _connect_once(self):
        """Holds one connection to its end. Returns whether it had joined its rooms."""
        self._connection = connection = socketio.Client(reconnection=False)
        state = {'ready': False}
        connection.on('order:status', self._receive)
        connection.on('room:ready', lambda push: self._ready(connection, state, push))
        connection.on('session:ended', lambda push: self._session_ended(push['reason']))
        connection.on('hub:draining', self._draining)
        connection.on('connect_error', lambda error=None: self._refused(connection, error))
        connection.on('*', self._notify)
        try:
            # `wait` would go on waiting for a connection that was refused.
            connection.connect(self.url, auth=self._auth(), transports=self._transports, wait=False)
            if self._is_closed:
                connection.disconnect()
            connection.eio.wait()
        except (socketio.exceptions.SocketIOError, ValueError, OSError):
            pass  # The next attempt follows.
        finally:
            with self._changed:
                if self._socket is connection:
                    self._socket = None
                self._changed.notify_all()
        return state['ready']

    def _auth(self):
        with self._changed:
            auth = {'token': self._token}
            if self._received:
                auth['last'] = dict(self._received)
            if self._acting_for is not None:
                auth['for'] = self._acting_for
            return auth

    def _refused(self, connection, error):
        """A refused connection says why; one that cannot be made does not."""
        body = error.get('data') if isinstance(error, dict) else None
        connection.eio.disconnect(abort=True)
        if body and not body['retryable']:
            self._end(HubError.of(body))
        elif body:
            self._reconnect_at = time.monotonic() + _retry_after(body.get('details'))

    def _draining(self, push):
        self._reconnect_at = time.monotonic() + push['reconnectAfterMs'] / 1000

    def _session_ended(self, reason):
        self._notify('session:ended', {'reason': reason})
        self._end(HubError('UNAUTHENTICATED', f'The session has ended: {reason}.', details={'reason': reason}))

    def _end(self, error):
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
            self._error = error
            self._socket = None
            self._changed.notify_all()
        self._events.put(_END)
        if self._connection is not None and self._connection.connected:
            self._connection.disconnect()

    def _connected(self, ends_at, fields):
        with self._changed:
            self._changed.wait_for(lambda: self._socket or self._error, max(0, ends_at - time.monotonic()))
            if self._error:
                raise self._error
            if self._socket is None:
                raise _timed_out(fields)
            return self._socket

    # Calls

    def _ask(self, connection, message, fields, ends_at):
        """Returns the hub's answer, or None if the connection is lost first."""
        answers = []

        def answered(answer):
            with self._changed:
                answers.append(answer)
                self._changed.notify_all()

        is_lost = lambda: self._socket is not connection
        try:
            connection.emit(message, fields, callback=answered)
        except socketio.exceptions.SocketIOError:
            with self._changed:
                self._changed.wait_for(is_lost, ANSWER_SECONDS)
            return None
        left = ends_at - time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: answers or is_lost(), max(0, min(ANSWER_SECONDS, left)))
        if answers:
            return answers[0]
        if left < ANSWER_SECONDS:
            raise _timed_out(fields)
        if not is_lost():
            self._drop(connection)
        return None

    def _drop(self, connection):
        """Gives up a connection without waiting until the other side has noticed."""
        with self._changed:
            if self._socket is connection:
                self._socket = None
            self._changed.notify_all()
        connection.eio.disconnect(abort=True)

    # Events

    def _receive(self, event):
        with self._changed:
            self._early[event['role']][event['seq']] = event
            self._deliver(event['role'])

    def _ready(self, connection, state, push):
        missed = []
        with self._changed:
            for role, room in push['rooms'].items():
                if role not in self._received or not room['complete']:
                    if role in self._received:
                        missed.append(role)
                    self._received[role] = room['head']
                self._deliver(role)
            state['ready'] = True
            if not self._is_closed:
                self._socket = connection
            self._changed.notify_all()
        for role in missed:
            self._notify('reset', role)

    def _deliver(self, role):
        """Hands over what follows the last event of a room; the rest waits for those before."""
        if role not in self._received:
            return
        early = self._early[role]
        while (event := early.pop(self._received[role] + 1, None)) is not None:
            self._received[role] += 1
            self._events.put(event)
        for seq in [seq for seq in early if seq <= self._received[role]]:
            del early[seq]

    def _notify(self, name, *values):
        for listener in self._listeners.get(name, []):
            listener(*values)


def _request(url, method, path, body=None, *, params=None, key=None, token=None, acting_for=None, timeout=60):
    headers = {'Idempotency-Key': key, 'Acting-For': acting_for, 'Authorization': token and f'Bearer {token}'}
    headers = {name: value for name, value in headers.items() if value is not None}
    ends_at = time.monotonic() + timeout
    failures = 0
    while True:
        error = None
        try:
            response = requests.request(
                method, url + path, json=body, params=params, headers=headers, timeout=ANSWER_SECONDS)
            if response.ok:
                is_json = response.headers.get('Content-Type', '').startswith('application/json')
                return response.json() if is_json else response.text or None
            error = HubError.of(response.json()['error'])
        except requests.ConnectionError as lost:
            error = lost
        except requests.Timeout as late:
            error = late
        except (ValueError, KeyError):
            error = HubError('UNAVAILABLE', f'Something before the hub answered {response.status_code}.', True)
        # Without a key nobody knows whether a lost POST took effect.
        is_safe = method != 'POST' or key is not None
        is_retryable = error.retryable if isinstance(error, HubError) else is_safe
        if not is_retryable or not is_safe:
            raise error
        failures += 1
        _pause(failures, error, ends_at, {'key': key})


def _pause(failures, error, ends_at, fields):
    seconds = _backoff(failures) + _retry_after(getattr(error, 'details', None))
    if time.monotonic() + seconds > ends_at:
        raise _timed_out(fields) from error
    time.sleep(seconds)


def _backoff(failures):
    """Exponential, with full jitter, so that clients that failed together do not retry together."""
    return random.random() * min(BACKOFF_SECONDS_MAX, FIRST_BACKOFF_SECONDS * 2 ** (failures - 1))


def _retry_after(details):
    return details.get('retryAfterMs', 0) / 1000 if isinstance(details, dict) else 0


def _timed_out(fields):
    error = TimeoutError('The hub did not answer in time.')
    error.key = fields.get('key')
    return error
