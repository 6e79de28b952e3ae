"""The published Python client goes through what a user does. It refuses an answer that lacks a member or has one of another
type, so it is the strict reader. Every subscriber here verifies what it gets, with the standardwebhooks library and with svix's.

Environment: POSTHASTE_URL, POSTHASTE_TOKEN, and SVIX_MAJOR, which the client must be of.
"""

import os
import queue
import threading
import unittest
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata

import standardwebhooks
import svix
from svix.api import (
    ApplicationIn,
    ApplicationListOptions,
    ApplicationPatch,
    BulkReplayIn,
    EndpointGetStatsOptions,
    EndpointHeadersIn,
    EndpointHeadersPatchIn,
    EndpointIn,
    EndpointPatch,
    EndpointSecretRotateIn,
    EventTypeIn,
    EventTypeListOptions,
    EventTypePatch,
    MessageAttemptListByEndpointOptions,
    MessageAttemptListByMsgOptions,
    MessageGetOptions,
    MessageIn,
    MessageListOptions,
    MessagePrecheckIn,
    RecoverIn,
    ReplayIn,
    Svix,
    SvixOptions,
)
from svix.exceptions import HttpError, HTTPValidationError

WAIT_S = 60
MAJOR = int(metadata.version("svix").split(".")[0])


class Subscriber:
    """Takes deliveries on a port of its own. Answers with `status`."""

    def __init__(self):
        self.status = 204
        self.deliveries = queue.Queue()
        subscriber = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                subscriber.deliveries.put((dict(self.headers), body))
                self.send_response(subscriber.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def delivery(self, secret):
        """The next delivery, once its signature has been verified."""
        headers, body = self.deliveries.get(timeout=WAIT_S)
        payload = standardwebhooks.Webhook(secret).verify(body, headers)
        svix.Webhook(secret).verify(body, headers)
        return headers, payload

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def put(resource, *args):
    """What 2.x calls upsert is update in 1.x."""
    return getattr(resource, "upsert" if MAJOR == 2 else "update")(*args)


class Clients(unittest.TestCase):
    def setUp(self):
        self.svix = Svix(os.environ["POSTHASTE_TOKEN"], SvixOptions(server_url=os.environ["POSTHASTE_URL"]))
        self.subscriber = Subscriber()
        self.addCleanup(self.subscriber.stop)

    def shop(self, **endpoint):
        """An application with an endpoint, and its secret."""
        app = self.svix.application.create(ApplicationIn(name="Shop"))
        made = self.svix.endpoint.create(app.id, EndpointIn(url=self.subscriber.url, **endpoint))
        return app.id, made.id, self.svix.endpoint.get_secret(app.id, made.id).key

    def attempts(self, app, message, count):
        """The attempts of a message, when there are so many: each was delivered before, and is about to be recorded."""
        while True:
            page = self.svix.message_attempt.list_by_msg(app, message)
            if len(page.data) >= count:
                return page.data

    def finished(self, task):
        while self.svix.background_task.get(task.id).status == "running":
            pass
        return self.svix.background_task.get(task.id)

    def refused(self, error, status, call, *args):
        with self.assertRaises(error) as raised:
            call(*args)
        self.assertEqual(raised.exception.status_code, status)
        return raised.exception

    def test_applications(self):
        apps = self.svix.application
        made = apps.create(ApplicationIn(name="Shop", metadata={"tier": "gold"}, throttle_rate=9))
        self.assertEqual((made.name, made.uid, made.metadata, made.throttle_rate), ("Shop", None, {"tier": "gold"}, 9))
        self.assertEqual(made.created_at.utcoffset(), timedelta(0))
        uid = f"uid-{made.id[-8:]}"
        self.assertEqual(apps.patch(made.id, ApplicationPatch(uid=uid)).uid, uid)
        self.assertEqual(apps.get(uid).id, made.id)
        self.assertEqual(apps.get_or_create(ApplicationIn(name="Other", uid=uid)).id, made.id)
        self.assertEqual(put(apps, made.id, ApplicationIn(name="New")).throttle_rate, None)
        page = apps.list(ApplicationListOptions(limit=1))
        self.assertEqual((len(page.data), page.iterator), (1, page.data[0].id))
        self.assertNotEqual(apps.list(ApplicationListOptions(limit=1, iterator=page.iterator)).data[:1], page.data)
        apps.delete(made.id)
        self.assertEqual(self.refused(HttpError, 404, apps.get, made.id).code, "not_found")

    def test_event_types(self):
        types = self.svix.event_type
        name = f"order.{os.urandom(4).hex()}"
        schemas = {"1": {"type": "object", "properties": {"amount": {"type": "integer"}}}}
        self.assertEqual(types.create(EventTypeIn(name=name, description="Paid", schemas=schemas)).schemas, schemas)
        self.assertEqual(self.refused(HttpError, 409, types.create, EventTypeIn(name=name, description="")).code, "event_type_exists")
        self.assertTrue(types.patch(name, EventTypePatch(deprecated=True)).deprecated)
        self.assertEqual(types.get(name).description, "Paid")
        types.delete(name)
        self.assertNotIn(name, [t.name for t in types.list(EventTypeListOptions(limit=250)).data])
        self.assertIn(name, [t.name for t in types.list(EventTypeListOptions(limit=250, include_archived=True)).data])

    def test_endpoints(self):
        app, endpoint, secret = self.shop(description="Books", metadata={"a": "b"}, channels=["blue"])
        endpoints = self.svix.endpoint
        shown = endpoints.get(app, endpoint)
        self.assertEqual((shown.url, shown.description, shown.channels), (self.subscriber.url, "Books", ["blue"]))
        self.assertEqual(endpoints.patch(app, endpoint, EndpointPatch(disabled=True)).disabled, True)
        self.assertEqual([e.id for e in endpoints.list(app).data], [endpoint])
        set_headers = endpoints.set_headers if MAJOR == 2 else endpoints.update_headers
        set_headers(app, endpoint, EndpointHeadersIn(headers={"X-One": "1", "Authorization": "secret"}))
        endpoints.patch_headers(app, endpoint, EndpointHeadersPatchIn(headers={"X-Two": "2"}))
        headers = endpoints.get_headers(app, endpoint)
        self.assertEqual((headers.headers, headers.sensitive), ({"X-One": "1", "X-Two": "2"}, ["Authorization"]))
        endpoints.rotate_secret(app, endpoint, EndpointSecretRotateIn())
        self.assertNotEqual(endpoints.get_secret(app, endpoint).key, secret)
        wrong = self.refused(HTTPValidationError, 422, endpoints.create, app, EndpointIn(url="ftp://h/"))
        self.assertEqual(wrong.detail[0].loc, ["body", "url"])
        endpoints.delete(app, endpoint)
        self.refused(HttpError, 404, endpoints.get, app, endpoint)

    def test_a_message_arrives_and_is_found_again(self):
        app, endpoint, secret = self.shop()
        messages, attempts = self.svix.message, self.svix.message_attempt
        self.assertTrue(messages.precheck(app, MessagePrecheckIn(event_type="order.paid")).active)
        sent = messages.create(app, MessageIn(event_type="order.paid", event_id="order-1", payload={"n": 1, "é": "✓"}, tags=["web"]))
        headers, payload = self.subscriber.delivery(secret)
        self.assertEqual((headers["webhook-id"], payload), (sent.id, {"n": 1, "é": "✓"}))
        self.assertEqual(self.refused(HttpError, 409, messages.create, app,
                                      MessageIn(event_type="order.paid", event_id="order-1", payload={})).code, "conflict")

        [attempt] = self.attempts(app, sent.id, 1)
        self.assertEqual((attempt.msg_id, attempt.endpoint_id, attempt.response_status_code), (sent.id, endpoint, 204))
        self.assertEqual(attempts.get(app, sent.id, attempt.id).status, attempt.status)
        since = sent.timestamp - timedelta(seconds=1)
        for page in [
            messages.list(app, MessageListOptions(event_types=["order.paid"], tag="web", after=since)),
            attempts.list_attempted_messages(app, endpoint),
        ]:
            self.assertEqual([m.id for m in page.data], [sent.id])
        by_endpoint = attempts.list_by_endpoint(app, endpoint, MessageAttemptListByEndpointOptions(with_msg=True, after=since))
        self.assertEqual([a.msg.id for a in by_endpoint.data], [sent.id])
        by_message = attempts.list_by_msg(app, "order-1", MessageAttemptListByMsgOptions(endpoint_id=endpoint, before=since))
        self.assertEqual(by_message.data, [])
        self.assertEqual([e.id for e in attempts.list_attempted_destinations(app, sent.id).data], [endpoint])
        stats = self.svix.endpoint.get_stats(app, endpoint, EndpointGetStatsOptions(since=since))
        self.assertEqual((stats.success, stats.fail), (1, 0))

        attempts.resend(app, sent.id, endpoint)
        headers, _ = self.subscriber.delivery(secret)
        self.assertEqual(headers["webhook-id"], sent.id)
        self.attempts(app, sent.id, 2)
        attempts.expunge_content(app, sent.id, attempt.id)
        self.assertEqual(attempts.get(app, sent.id, attempt.id).response, "EXPUNGED")
        messages.expunge_content(app, sent.id)
        self.assertEqual(messages.get(app, sent.id, MessageGetOptions(with_content=True)).payload, {"expired": True})
        self.assertEqual(self.refused(HttpError, 400, attempts.resend, app, sent.id, endpoint).code, "missing_payload")

    def test_what_failed_is_recovered_and_what_is_missing_replayed(self):
        self.subscriber.status = 500
        app, endpoint, secret = self.shop()
        since = datetime.now(timezone.utc) - timedelta(hours=1)
        sent = self.svix.message.create(app, MessageIn(event_type="order.paid", payload={"n": 1}))
        self.subscriber.delivery(secret)
        self.attempts(app, sent.id, 1)
        self.subscriber.status = 204
        for task in [
            self.svix.endpoint.recover(app, endpoint, RecoverIn(since=since)),
            self.svix.endpoint.bulk_replay(app, endpoint, BulkReplayIn(since=since, event_types=["order.paid"])),
        ]:
            self.assertEqual(self.finished(task).status, "finished")
            self.assertEqual(self.subscriber.delivery(secret)[0]["webhook-id"], sent.id)
        late = self.svix.endpoint.create(app, EndpointIn(url=self.subscriber.url)).id
        self.finished(self.svix.endpoint.replay_missing(app, late, ReplayIn(since=since)))
        self.subscriber.delivery(self.svix.endpoint.get_secret(app, late).key)
        self.assertGreaterEqual(len(self.svix.background_task.list().data), 3)

    def test_health(self):
        self.assertIsNone(self.svix.health.get())

    def test_it_is_the_major_that_was_meant(self):
        self.assertEqual(str(MAJOR), os.environ["SVIX_MAJOR"])


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # httpx closes its sockets when it is collected
