"""Buyers and a seller on the Python client, for test/chaos/python.spec.ts.

Each buyer places and pays, the seller ships what is paid: three commands an order. Reads {url, store, orders, seller,
buyers} from standard input, by name and token; prints a line for each order that is shipped, and at the end what was
answered and heard as JSON.
"""

import json
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'clients' / 'python'))
from order_hub import OrderHub  # noqa: E402

CALL_SECONDS = 120
# A buyer on each transport, in turn.
TRANSPORTS = (['websocket'], ['polling'], None)

market = json.load(sys.stdin)
placed = []
heard = {}


def connect(name, token, transports=None):
    client = OrderHub(market['url'], token, transports=transports)
    client.wait_ready(CALL_SECONDS)
    heard[name] = []
    return client


def next_event(client, name):
    event = client.next_event(timeout=CALL_SECONDS)
    if event is None:
        raise TimeoutError(f'{name} heard nothing more')
    heard[name].append([event['role'], event['seq'], event['orderId'], event['status']])
    return event


def buy(client, count):
    item = {'bookId': 'book-1', 'count': 1}
    for _ in range(count):
        order = client.call('order:place', timeout=CALL_SECONDS, storeId=market['store'], items=[item])
        placed.append(order['orderId'])
        client.call('order:pay', timeout=CALL_SECONDS, orderId=order['orderId'])


def run():
    seller = connect('seller', market['seller'])
    buyers = {
        name: connect(name, token, TRANSPORTS[index % len(TRANSPORTS)])
        for index, (name, token) in enumerate(market['buyers'].items())
    }
    each = market['orders'] // len(buyers)
    threads = [threading.Thread(target=buy, args=(client, each), daemon=True) for client in buyers.values()]
    for thread in threads:
        thread.start()
    shipped = 0
    while shipped < each * len(buyers):
        event = next_event(seller, 'seller')
        if event['status'] == 'paid':
            seller.call('order:ship', timeout=CALL_SECONDS, orderId=event['orderId'])
            shipped += 1
            print('shipped', shipped, flush=True)
    for thread in threads:
        thread.join(CALL_SECONDS)
    while heard['seller'][-1][1] < 3 * shipped:
        next_event(seller, 'seller')
    for name, client in buyers.items():
        for _ in range(3 * each):
            next_event(client, name)
    for client in (seller, *buyers.values()):
        client.close()
    print(json.dumps({'placed': placed, 'heard': heard}), flush=True)


run()
