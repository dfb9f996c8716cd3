// What /docs does in a browser: search, and requests to the hub that the page came from. Nothing is stored: the token lives as
// long as the page. Socket.IO is spoken by hand, because the page loads nothing.
const base = new URL('.', location.href);
const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};
const button = (textContent, onclick) => element('button', { type: 'button', textContent, onclick });

const entries = [...document.querySelectorAll('article, .error-codes tbody tr')].map((entry) => ({
  entry,
  // Its answer repeats the fields of a schema, which is found by itself.
  text: (entry.querySelector(':scope > div') ?? entry).textContent.toLowerCase(),
  link: document.querySelector(`nav a[href="#${CSS.escape(entry.id)}"]`)?.parentElement,
}));

function find({ target }) {
  const words = target.value.toLowerCase().split(/\s/).filter(Boolean);
  let found = 0;
  for (const { entry, text, link } of entries) {
    entry.hidden = !words.every((word) => text.includes(word));
    if (link) link.hidden = entry.hidden;
    if (!entry.hidden) found++;
  }
  const isSearch = words.length > 0;
  document.body.classList.toggle('searching', isSearch);
  for (const section of document.querySelectorAll('main > section')) {
    section.hidden = isSearch && !section.querySelector(':is(article, tr[id]):not([hidden])');
  }
  document.querySelector('search output').value = isSearch ? `${found} of ${entries.length}` : '';
}
document.querySelector('search input').addEventListener('input', find);
document.querySelector('search').hidden = false;

/** The session's token, and the socket that was opened with it. */
let token = '';
let connection;
let lastId = 0;
const acknowledgements = new Map();

async function send(method, path, body) {
  const headers = { ...(token ? { authorization: `Bearer ${token}` } : {}) };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(new URL(path.replace(/^\//, ''), base), { method, headers, body });
  const text = await response.text();
  return { status: response.status, isOk: response.ok, text, json: parse(text) };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One WebSocket with Socket.IO's packets: 0 open, 2 ping, 40 joined, 44 refused, 42 event, 43 acknowledgement. */
function connect() {
  const url = new URL('socket.io/?EIO=4&transport=websocket', base);
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(url);
  const opening = new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => {
      if (data[0] === '0') socket.send(`40${JSON.stringify({ token })}`);
      else if (data === '2') socket.send('3');
      else if (data.startsWith('40')) resolve(socket);
      else if (data.startsWith('44')) reject(parse(data.slice(2)));
      const [, type, id, json] = /^4([23])(\d*)(\[.*)$/s.exec(data) ?? [];
      if (type === '2') heard(...parse(json));
      if (type === '3') acknowledgements.get(Number(id))?.(parse(json)[0]);
    };
    socket.onclose = () => {
      if (connection === opening) connection = undefined;
      reject({ message: 'The connection was closed.' });
    };
  });
  return opening;
}

async function emit(name, request) {
  connection ??= connect();
  const socket = await connection;
  const id = ++lastId;
  return new Promise((resolve) => {
    acknowledgements.set(id, resolve);
    socket.send(`42${id}${JSON.stringify([name, request])}`);
  });
}

const pushes = element('pre', { tabIndex: 0, ariaLabel: 'Pushes heard', className: 'pushes' });
function heard(name, push) {
  pushes.prepend(`${name} ${JSON.stringify(push)}\n`);
}

/** Who speaks: filled in once for the whole page. */
function session() {
  const [userId, password] = ['userId', 'password'].map((name) =>
    element('input', { ariaLabel: name, placeholder: name, autocomplete: 'off' }),
  );
  password.type = 'password';
  const state = element('output', { value: 'Nobody is logged in.' });
  const post = (path) =>
    send('POST', path, JSON.stringify({ userId: userId.value, password: password.value })).catch(String);
  const register = async () => {
    const { isOk, text } = await post('/auth/register');
    state.value = isOk ? 'Registered: log in.' : text;
  };
  const logIn = async () => {
    const { isOk, text, json } = await post('/auth/login');
    state.value = isOk ? `Logged in as ${userId.value}.` : text;
    if (!isOk) return;
    token = json.token;
    // Another user's hears nothing more.
    (await connection?.catch(() => undefined))?.close();
    connection = connect();
    connection.catch(({ message }) => heard('connect_error', message));
  };
  const controls = element('p', {}, userId, ' ', password, ' ', button('Register', register), ' ');
  controls.append(button('Log in', logIn), ' ', state);
  return element('div', { className: 'session' }, element('h3', { textContent: 'Try it' }), controls, pushes);
}
document.querySelector('#start').append(session());

/** A form for one message or route, with the example to begin with and a key of its own. */
function form({ dataset: { method, path, message } }, example) {
  const body = example && element('textarea', { ariaLabel: 'Request', rows: 8, spellcheck: false });
  if (body) {
    const request = parse(example);
    if ('key' in request) request.key = crypto.getRandomValues(new Uint32Array(2)).join('-');
    body.value = JSON.stringify(request, null, 2);
  }
  const place = message ? '' : element('input', { ariaLabel: 'Path', value: path, spellcheck: false });
  const answer = element('pre', { tabIndex: 0, ariaLabel: 'Answer of the hub', ariaLive: 'polite' });
  const ask = async () => {
    if (message) return JSON.stringify(await emit(message, JSON.parse(body.value)), null, 2);
    const { status, text, json } = await send(method, place.value, body?.value);
    return `${status}\n${json === undefined ? text : JSON.stringify(json, null, 2)}`;
  };
  const show = async () => {
    answer.textContent = '…';
    answer.textContent = await ask().catch((error) => error.message);
  };
  return element('div', { className: 'form' }, place, body ?? '', button('Send', show), answer);
}

for (const article of document.querySelectorAll('article[data-path], article[data-message]')) {
  const beside = article.querySelector('.beside');
  const open = button('Try it', () => {
    open.replaceWith(form(article, article.querySelector('.request code')?.textContent));
  });
  beside.append(open);
}
