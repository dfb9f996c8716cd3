// A seller's panel: the paid orders, to ship. In a project of `npm create vite` with its React template, after
// `npm i order-hub`, this and index.html are all it takes. The hub must know the page: ALLOWED_ORIGINS=http://localhost:5173
import { createApi, HubProvider, useCommand, useConnection, useOrders } from 'order-hub/react';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';

const url = new URLSearchParams(location.search).get('hub') ?? 'http://127.0.0.1:3000';

function App() {
  const [token, setToken] = useState<string>();
  const [refusal, setRefusal] = useState('');
  const logIn = async (form: FormData) => {
    const [userId, password] = [String(form.get('user')), String(form.get('password'))];
    const login = createApi({ url }).call('login', { userId, password });
    await login.then((session) => setToken(session.token)).catch(({ message }) => setRefusal(message));
  };
  if (!token)
    return (
      <form action={logIn}>
        <input name="user" placeholder="seller" required />
        <input name="password" type="password" placeholder="password" required />
        <button type="submit">Log in</button> {refusal}
      </form>
    );
  return (
    <HubProvider url={url} token={token}>
      <Panel />
    </HubProvider>
  );
}

function Panel() {
  const { state, missed, ended } = useConnection();
  const { orders, isLoading } = useOrders('seller', { status: 'paid', all: true });
  const ship = useCommand('ship');
  return (
    <>
      <p role="status">{ended ? 'Logged out' : `${state}, ${missed} missed`}</p>
      <h1>{isLoading ? 'Loading …' : `${orders.length} to ship`}</h1>
      <p role="alert">{ship.error?.message}</p>
      {orders.map(({ orderId, number, items }) => (
        <article key={orderId}>
          #{number} {items.map(({ title, count }) => `${count} × ${title}`).join(', ')}{' '}
          <button type="button" disabled={ship.isPending} onClick={() => ship.send({ orderId })}>
            Ship
          </button>
        </article>
      ))}
    </>
  );
}

createRoot(document.body.appendChild(document.createElement('main'))).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
