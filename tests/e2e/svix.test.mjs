// Stories that the published svix clients, both majors, go through with nothing changed but the URL. Method by method they
// are driven in svix_methods.test.mjs.
import test from 'node:test';
import assert from 'node:assert/strict';
import { checkedFetch, dispatcher } from './lib/dispatcher.mjs';
import { receiver, verify } from './lib/receiver.mjs';
import { majors } from './lib/svix.mjs';
import { until } from './lib/wait.mjs';

for (const { name, library: { Svix } } of majors) {
    test(`${name} creates an application, an endpoint and a message, and reads them back`, async t => {
        const d = await dispatcher(t);
        const r = await receiver(t);
        const svix = new Svix(d.token, { serverUrl: d.url, fetch: checkedFetch });

        const app = await svix.application.create({ name: 'Shop', uid: 'shop' });
        assert.equal((await svix.application.get('shop')).id, app.id);
        const again = await svix.application.getOrCreate({ name: 'Shop', uid: 'shop' });
        assert.equal(again.id, app.id);

        await svix.eventType.create({ name: 'order.paid', description: 'Paid' });
        const endpoint = await svix.endpoint.create('shop', {
            url: r.url, eventTypes: ['order.paid'], filterTypes: ['order.paid'], description: 'Books',
        });
        const { key } = await svix.endpoint.getSecret('shop', endpoint.id);
        assert.match(key, /^whsec_/);

        const message = await svix.message.create('shop', {
            eventType: 'order.paid', eventId: 'evt-1', payload: { amount: 12 }, payloadRetentionHours: 24,
        });
        assert.match(message.id, /^msg_[0-9A-Za-z]{27}$/);
        await r.arrived(1);
        assert.deepEqual(verify(key, r.deliveries[0]), { amount: 12 });

        const listed = await svix.message.list('shop');
        assert.deepEqual(listed.data.map(m => m.id), [message.id]);
        assert.equal((await svix.message.get('shop', 'evt-1')).id, message.id);
        await assert.rejects(
            svix.message.create('shop', { eventType: 'order.paid', eventId: 'evt-1', payload: {} }),
            error => error.code === 409);
        await assert.rejects(
            svix.message.create('shop', { eventType: 'order.paid', payload: {}, payloadRetentionHours: 2161 }),
            error => error.code === 422 && error.body.detail[0].loc[1] === 'payloadRetentionHours');
        await assert.rejects(svix.application.get('nobody'),
            error => error.code === 404 && error.body.code === 'not_found');
        await assert.rejects(svix.endpoint.create('shop', { url: 'ftp://x' }), error => error.code === 422);
    });

    test(`${name} has a message sent again`, async t => {
        const d = await dispatcher(t, { args: ['--retry-schedule', '3600'] });
        let status = 500;
        const r = await receiver(t, (_, response) => response.writeHead(status).end());
        const { app, id, secret } = await d.endpoint(r.url);
        const svix = new Svix(d.token, { serverUrl: d.url });

        const message = await svix.message.create(app, { eventType: 'order.paid', payload: { amount: 12 } });
        await r.arrived(1);
        await until(() => d.attempts(app, message.id), attempts => attempts.length === 1);
        status = 204;
        await svix.messageAttempt.resend(app, message.id, id);
        await r.arrived(2);
        assert.deepEqual(verify(secret, r.deliveries[1]), { amount: 12 });
        assert.equal(r.deliveries[1].headers['webhook-id'], message.id);
        const made = await until(() => svix.messageAttempt.listByMsg(app, message.id),
            page => page.data.length === 2);
        assert.deepEqual(made.data.map(a => [a.status, a.triggerType]), [[0, 1], [2, 0]]);
        await assert.rejects(svix.messageAttempt.resend(app, 'evt-unknown', id), error => error.code === 404);
    });

    test(`${name} sends an example to one endpoint`, async t => {
        const d = await dispatcher(t);
        const r = await receiver(t), other = await receiver(t);
        const { app, id, secret } = await d.endpoint(r.url);
        const svix = new Svix(d.token, { serverUrl: d.url, fetch: checkedFetch });
        const example = { order: 17, amount: 12.5 };

        await svix.endpoint.create(app, { url: other.url });
        await svix.eventType.create({ name: 'order.paid', description: 'Paid', schemas: { 1: { examples: [example] } } });
        await svix.eventType.create({ name: 'order.lost', description: 'Lost' });
        const ping = await svix.endpoint.sendExample(app, id, { eventType: 'svix.ping' });
        assert.deepEqual([ping.eventType, ping.payload], ['svix.ping', { success: true }]);
        await r.arrived(1);
        assert.deepEqual(verify(secret, r.deliveries[0]), { success: true });
        const sent = await svix.endpoint.sendExample(app, id, { eventType: 'order.paid' });
        assert.deepEqual(sent.payload, example);
        await r.arrived(2);
        assert.deepEqual(verify(secret, r.deliveries[1]), example);
        await until(() => d.attempts(app, sent.id), attempts => attempts.length === 1);
        assert.equal(other.deliveries.length, 0);
        for (const [eventType, code] of [['order.lost', 400], ['order.gone', 404], ['order paid', 422]])
            await assert.rejects(svix.endpoint.sendExample(app, id, { eventType }), error => error.code === code);
        await assert.rejects(svix.endpoint.sendExample(app, 'none', { eventType: 'svix.ping' }),
            error => error.code === 404);
    });

    test(`${name} sees where a message was tried, and what was tried at an endpoint`, async t => {
        const d = await dispatcher(t);
        const r = await receiver(t);
        const { app, id } = await d.endpoint(r.url);
        const svix = new Svix(d.token, { serverUrl: d.url });
        const { id: message } = await svix.message.create(app,
            { eventType: 'order.paid', payload: { n: 1 }, tags: ['blue'] });
        const destinations = await until(
            () => svix.messageAttempt.listAttemptedDestinations(app, message, { limit: 10 }),
            page => page.data.length > 0);
        assert.deepEqual(destinations.data.map(e => [e.id, e.status, e.statusText, e.nextAttempt]),
            [[id, 0, 'success', null]]);
        assert.ok(destinations.data[0].createdAt.getTime() > 0);
        const tried = await svix.messageAttempt.listAttemptedMessages(app, id, { status: 0, eventTypes: ['order.paid'] });
        assert.deepEqual(tried.data.map(m => [m.id, m.statusText]), [[message, 'success']]);
        assert.deepEqual(await svix.message.precheck(app, { eventType: 'order.paid' }), { active: true });
        assert.deepEqual((await svix.message.list(app, { tag: 'blue' })).data.map(m => m.tags), [['blue']]);
        assert.deepEqual((await svix.message.list(app, { tag: 'red' })).data, []);
        const made = await svix.messageAttempt.listByEndpoint(app, id, { tag: 'blue', withMsg: true, withContent: true });
        assert.deepEqual(made.data.map(a => [a.msg.id, a.msg.payload]), [[message, { n: 1 }]]);
        assert.deepEqual((await svix.messageAttempt.listAttemptedMessages(app, id, { status: 2 })).data, []);
        assert.deepEqual(await svix.endpoint.getStats(app, id, { since: new Date(Date.now() - 60_000) }),
            { canceled: 0, fail: 0, pending: 0, sending: 0, success: 1 });
        await assert.rejects(svix.endpoint.getStats(app, id, { since: new Date(0) }),
            error => error.code === 400 && error.body.code === 'invalid_range');
        const [{ id: attempt }] = (await svix.messageAttempt.listByMsg(app, message)).data;
        await svix.messageAttempt.expungeContent(app, message, attempt);
        assert.equal((await svix.messageAttempt.get(app, message, attempt)).response, 'EXPUNGED');
        await svix.message.expungeContent(app, message);
        assert.deepEqual((await svix.message.get(app, message, { withContent: true })).payload, { expired: true });
        await assert.rejects(svix.messageAttempt.resend(app, message, id),
            error => error.code === 400 && error.body.code === 'missing_payload');
        await assert.rejects(svix.messageAttempt.listAttemptedDestinations(app, 'none'), error => error.code === 404);
    });

    test(`${name} recovers and replays in the background`, async t => {
        const d = await dispatcher(t, { args: ['--retry-schedule', '3600'] });
        let status = 500;
        const r = await receiver(t, (_, response) => response.writeHead(status).end());
        const { app, id } = await d.endpoint(r.url);
        const svix = new Svix(d.token, { serverUrl: d.url });
        const since = new Date(Date.now() - 3600_000);
        const ended = task => until(() => svix.backgroundTask.get(task.id), now => now.status !== 'running');
        const recorded = count => until(() => svix.messageAttempt.listByEndpoint(app, id),
            page => page.data.length === count);

        for (let n = 0; n < 3; n++)
            await svix.message.create(app, { eventType: n ? 'order.paid' : 'order.sent', payload: { n } });
        await recorded(3);
        status = 204;
        const recovery = await svix.endpoint.recover(app, id, { since });
        assert.deepEqual([recovery.task, recovery.status], ['endpoint.recover', 'running']);
        assert.ok(recovery.updatedAt > since);
        assert.equal((await ended(recovery)).data.deliveries, 3);
        const attempts = await recorded(6);
        assert.deepEqual(attempts.data.map(a => a.triggerType), [1, 1, 1, 0, 0, 0]);

        const late = await svix.endpoint.create(app, { url: r.url });
        const missing = await svix.endpoint.replayMissing(app, late.id, { since });
        assert.equal((await ended(missing)).data.deliveries, 3);
        await r.arrived(9);
        const bulk = await svix.endpoint.bulkReplay(app, id, { since, eventTypes: ['order.sent'], status: 0 });
        assert.equal((await ended(bulk)).data.deliveries, 1);
        await r.arrived(10);
        const tasks = await svix.backgroundTask.list({ status: 'finished' });
        assert.deepEqual(tasks.data.map(task => task.id), [bulk.id, missing.id, recovery.id]);
        await assert.rejects(svix.endpoint.recover(app, id, { since: new Date(0) }), error => error.code === 422);
    });

    test(`${name} pages through a list to its end`, async t => {
        const d = await dispatcher(t);
        const svix = new Svix(d.token, { serverUrl: d.url, fetch: checkedFetch });
        const made = [];
        for (let n = 0; n < 7; n++) made.push((await svix.application.create({ name: `a${n}` })).id);
        const seen = [];
        for (let iterator = null, done = false; !done;) {
            const page = await svix.application.list({ limit: 3, iterator });
            seen.push(...page.data.map(a => a.id));
            ({ iterator, done } = page);
        }
        assert.deepEqual(seen, made);
    });
}

test('a client that repeats a request with its key makes one message', async t => {
    const d = await dispatcher(t);
    const r = await receiver(t);
    const { app } = await d.endpoint(r.url);
    const svix = new majors[0].library.Svix(d.token, { serverUrl: d.url, fetch: checkedFetch });
    const send = () => svix.message.create(app, { eventType: 'order.paid', payload: {} },
        { idempotencyKey: 'once' });
    const messages = await Promise.all(Array.from({ length: 20 }, send));
    assert.equal(new Set(messages.map(m => m.id)).size, 1);
    assert.equal((await svix.message.list(app)).data.length, 1);
});
