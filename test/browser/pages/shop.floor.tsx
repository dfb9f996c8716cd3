import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import {
  HubProvider,
  useBooks,
  useCommand,
  useConnection,
  useHub,
  useOrder,
  useOrders,
} from '../../../src/react/react.js';

/** Every hook at once, as a buyer and a seller would use them. The test logs somebody in through the form. */
function ShopFloor() {
  const [token, setToken] = useState('');
  return (
    <>
      <input aria-label="token" value={token} onChange={({ target }) => setToken(target.value)} />
      {token !== '' && (
        <HubProvider url={location.origin} token={token}>
          <Connection />
          <Shelf />
          <Bought />
          <Sold />
        </HubProvider>
      )}
    </>
  );
}

function Connection() {
  const { state, missed, pending, ended, dismissMissed } = useConnection();
  return (
    <button type="button" className="connection" onClick={dismissMissed}>
      {[state, missed, pending, ended].join(' ').trim()}
    </button>
  );
}

function Shelf() {
  const [q, setQ] = useState('');
  const { items, hasMore, loadMore, isLoading } = useBooks({ q, limit: 2 });
  const place = useCommand('place');
  return (
    <section className="shelf" aria-busy={isLoading}>
      <input aria-label="search" value={q} onChange={({ target }) => setQ(target.value)} />
      {items.map(({ storeId, bookId, title }) => (
        <button key={bookId} type="button" onClick={() => place.send({ storeId, items: [{ bookId, count: 1 }] })}>
          {title}
        </button>
      ))}
      {hasMore && (
        <button type="button" onClick={loadMore}>
          more
        </button>
      )}
      <output>{place.error?.code}</output>
    </section>
  );
}

function Bought() {
  const { orders, isLoading } = useOrders('buyer');
  const pay = useCommand('pay');
  const { client } = useHub();
  return (
    <section className="bought" aria-busy={isLoading}>
      <output>{pay.error?.code}</output>
      {orders.map(({ orderId }) => (
        <article key={orderId}>
          <Order orderId={orderId} />
          <button type="button" disabled={pay.isPending} onClick={() => pay.send({ orderId })}>
            pay
          </button>
          <button type="button" onClick={() => client.cancel({ orderId })}>
            cancel
          </button>
        </article>
      ))}
    </section>
  );
}

function Order({ orderId }: { orderId: string }) {
  const { order } = useOrder('buyer', orderId);
  return <output>{order?.timeline?.map(({ status }) => status).join(' ')}</output>;
}

function Sold() {
  const { orders } = useOrders('seller', { status: 'paid', all: true });
  const ship = useCommand('ship');
  return (
    <section className="sold">
      {orders.map(({ orderId }) => (
        <button key={orderId} type="button" onClick={() => ship.send({ orderId })}>
          ship
        </button>
      ))}
    </section>
  );
}

const page = document.createElement('main');
document.body.append(page);
createRoot(page).render(
  <StrictMode>
    <ShopFloor />
  </StrictMode>,
);
