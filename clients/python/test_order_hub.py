"""Tests of the Python client against a real hub, over WebSocket and over polling.

    npm run build && python3 -W ignore::ResourceWarning -m unittest discover clients/python

The warnings are python-engineio's, which leaves WebSockets to the collector.
"""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from order_hub import HubError, OrderHub, login, register  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSWORD = 'correct horse battery'
START_SECONDS = 60


class Hub:
    """A hub in a process of its own, on an embedded database that outlives it."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        self.url = f'http://127.0.0.1:{self.port}'
        self.start()

    def start(self):
        variables = {'PORT': str(self.port), 'DATABASE_URL': f'sqlite:{self.folder.name}/hub.sqlite', 'REDIS_URL': ''}
        self.process = subprocess.Popen(
            ['node', 'dist/main.js'], cwd=ROOT, env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if 'listening on' in line:
                break
        else:
            raise RuntimeError('The hub ended before it was listening')
        # Read to its end, because a full pipe would stop the hub.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.kill()
        self.process.stdout.close()
        self.folder.cleanup()


class ClientTests:
    """Run once over each transport."""

    transports = None

    @classmethod
    def setUpClass(cls):
        cls.hub = Hub()
        cls.addClassCleanup(cls.hub.stop)

    def setUp(self):
        self.name = self.id().rsplit('.', 1)[-1].replace('_', '-')[5:]
        self.buyer = self.user('buyer')
        self.seller = self.user('seller')
        self.buyer.http('POST', '/wallet/deposits', {'amount': 1_000_000}, key='money')
        self.store = f'{self.name}-store'
        self.seller.http('POST', '/stores', {'storeId': self.store})
        book = {'bookId': 'b1', 'title': 'The first book', 'price': 1_000, 'stock': 500}
        self.seller.http('POST', f'/stores/{self.store}/books', book)

    def user(self, role):
        register(self.hub.url, f'{self.name}-{role}', PASSWORD)
        return self.connect(role)

    def connect(self, role, **options):
        token = login(self.hub.url, f'{self.name}-{role}', PASSWORD)
        client = OrderHub(self.hub.url, token, transports=self.transports, **options)
        self.addCleanup(client.close)
        client.wait_ready()
        return client

    def place(self, count=1, **options):
        return self.buyer.call('order:place', storeId=self.store, items=[{'bookId': 'b1', 'count': count}], **options)

    def numbers(self, client, role, count):
        events = [client.next_event(timeout=20) for _ in range(count)]
        return [event and event['seq'] for event in events if event is None or event['role'] == role]

    def test_an_order_travels(self):
        order = self.place()
        for client, command in ((self.buyer, 'pay'), (self.seller, 'ship'), (self.buyer, 'receive')):
            order = client.call(f'order:{command}', orderId=order['orderId'])
        self.assertEqual(order['status'], 'received')
        events = [self.seller.next_event(timeout=20) for _ in range(4)]
        self.assertEqual([event['status'] for event in events], ['placed', 'paid', 'shipped', 'received'])
        self.assertEqual([event['seq'] for event in events], [1, 2, 3, 4])
        self.assertEqual(self.seller.last, {'seller': 4})
        self.assertIsNone(self.seller.next_event(timeout=0.2))

    def test_refusals_are_errors(self):
        with self.assertRaises(HubError) as refused:
            self.place(count=501)
        self.assertEqual(refused.exception.code, 'OUT_OF_STOCK')
        self.assertEqual(refused.exception.details, {'bookId': 'b1', 'wanted': 501, 'available': 500})
        with self.assertRaises(HubError) as refused:
            self.buyer.http('POST', '/stores', {'storeId': self.store})
        self.assertEqual(refused.exception.code, 'STORE_EXISTS')

    def test_one_key_one_order(self):
        self.assertEqual(self.place(key='once')['orderId'], self.place(key='once')['orderId'])
        with self.assertRaises(HubError) as refused:
            self.place(key='once', count=2)
        self.assertEqual(refused.exception.code, 'KEY_REUSED')

    def test_killed_hub(self):
        placed, count = [], 60

        def place_some():
            for _ in range(count // 4):
                placed.append(self.place()['orderId'])

        threads = [threading.Thread(target=place_some) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(2):
            self.seller.next_event(timeout=20)
            self.hub.kill()
            self.hub.start()
        for thread in threads:
            thread.join(120)
        self.assertEqual(len(set(placed)), count)
        listed = self.buyer.http('GET', '/orders', params={'role': 'buyer', 'limit': 100})['items']
        self.assertEqual({order['orderId'] for order in listed}, set(placed))
        self.assertEqual(self.numbers(self.seller, 'seller', count - 2), list(range(3, count + 1)))
        self.assertEqual(self.numbers(self.buyer, 'buyer', count), list(range(1, count + 1)))

    def test_last_is_where_events_go_on(self):
        self.place()
        self.assertEqual(self.numbers(self.seller, 'seller', 1), [1])
        self.seller.close()
        self.assertIsNone(self.seller.next_event())
        for _ in range(30):
            self.place()
        again = self.connect('seller', last=self.seller.last)
        self.assertEqual(self.numbers(again, 'seller', 30), list(range(2, 32)))

    def test_a_late_answer(self):
        self.hub.process.send_signal(signal.SIGSTOP)
        try:
            with self.assertRaises(TimeoutError) as late:
                self.place(timeout=0.5)
        finally:
            self.hub.process.send_signal(signal.SIGCONT)
        order = self.place(key=late.exception.key)
        listed = self.buyer.http('GET', '/orders', params={'role': 'buyer'})['items']
        self.assertEqual([each['orderId'] for each in listed], [order['orderId']])

    def test_pushes_without_a_number(self):
        heard = threading.Event()
        self.buyer.on('wallet:changed', lambda push: push['balance'] == 999_000 and heard.set())
        self.buyer.call('order:pay', orderId=self.place()['orderId'])
        self.assertTrue(heard.wait(20))

    def test_an_ended_session(self):
        self.buyer.http('POST', '/auth/logout')
        with self.assertRaises(HubError) as ended:
            self.buyer.next_event(timeout=20)
        self.assertEqual(ended.exception.code, 'UNAUTHENTICATED')
        self.assertEqual(ended.exception.details, {'reason': 'logout'})
        with self.assertRaises(HubError):
            self.place()

    def test_a_bad_token(self):
        client = OrderHub(self.hub.url, 'none', transports=self.transports)
        self.addCleanup(client.close)
        with self.assertRaises(HubError) as refused:
            client.call('order:list', role='buyer')
        self.assertEqual(refused.exception.code, 'UNAUTHENTICATED')


class OverWebSocket(ClientTests, unittest.TestCase):
    transports = ['websocket']


class OverPolling(ClientTests, unittest.TestCase):
    transports = ['polling']


if __name__ == '__main__':
    unittest.main()
