// The methods of the svix clients in three lists: those that we serve, each with a case that shows it; those of products that
// only the hosted edition has; and those that are still to come. A method in none of them fails the test.
import assert from 'node:assert/strict';
import { until } from './wait.mjs';
import { verify } from './receiver.mjs';

const ids = page => page.data.map(item => item.id);
const minute = () => ({ since: new Date(Date.now() - 60_000) });

async function gone(call) {
    await assert.rejects(call(), error => error.code === 404 && error.body.code === 'not_found');
}

async function refused(status, call) {
    await assert.rejects(call(), error => error.code === status);
}

// The delivery of a message, once it is there.
async function arrived(receiver, message, url = '/hook') {
    const found = () => receiver.deliveries.find(d => d.url === url && d.headers['webhook-id'] === message);
    await receiver.arrived(() => found() !== undefined);
    return found();
}

// A case is given `c`: the client `svix`; an application `app` with an `endpoint`, its `secret`, and a `message` that was
// delivered to it with an `attempt`; all of them stay. `name()` makes a name that nothing has yet, `as(token)` a client.
const cases = {
    'application.list': async ({ svix, app }) => assert.ok(ids(await svix.application.list({ limit: 250 })).includes(app)),
    'application.create': async ({ svix, name }) => {
        const uid = name();
        const made = await svix.application.create({ name: 'Made', uid });
        assert.deepEqual([made.name, made.uid, made.metadata, made.throttleRate], ['Made', uid, {}, null]);
        assert.match(made.id, /^app_[0-9A-Za-z]{27}$/);
        assert.ok(made.createdAt.getTime() > 0 && made.updatedAt.getTime() > 0);
    },
    'application.getOrCreate': async ({ svix, name }) => {
        const uid = name();
        const made = await svix.application.getOrCreate({ name: 'First', uid });
        const found = await svix.application.getOrCreate({ name: 'Second', uid });
        assert.deepEqual([found.id, found.name], [made.id, 'First']);
    },
    'application.get': async ({ svix, app }) => assert.equal((await svix.application.get(app)).id, app),
    'application.upsert': async ({ svix, name }) => {
        const made = await svix.application.upsert(name(), { name: 'Made', throttleRate: 5 });
        assert.equal(made.uid, undefined);
        const replaced = await svix.application.upsert(made.id, { name: 'Replaced' });
        assert.deepEqual([replaced.id, replaced.name, replaced.throttleRate], [made.id, 'Replaced', null]);
    },
    'application.delete': async ({ svix }) => {
        const { id } = await svix.application.create({ name: 'Brief' });
        await svix.application.delete(id);
        await gone(() => svix.application.get(id));
    },
    'application.patch': async ({ svix }) => {
        const { id } = await svix.application.create({ name: 'Old', throttleRate: 5 });
        const patched = await svix.application.patch(id, { name: 'New' });
        assert.deepEqual([patched.name, patched.throttleRate], ['New', 5]);
    },

    'eventType.list': async ({ svix }) =>
        assert.ok((await svix.eventType.list({ limit: 250 })).data.some(type => type.name === 'order.paid')),
    'eventType.create': async ({ svix, name }) => {
        const type = await svix.eventType.create({ name: name(), description: 'Made', schemas: { 1: { type: 'object' } } });
        assert.deepEqual([type.description, type.archived, type.deprecated, type.schemas],
            ['Made', false, false, { 1: { type: 'object' } }]);
        await assert.rejects(svix.eventType.create({ name: type.name, description: '' }),
            error => error.code === 409 && error.body.code === 'event_type_exists');
    },
    'eventType.importOpenapi': async ({ svix, name }) => {
        const type = name();
        const { data } = await svix.eventType.importOpenapi({ spec: { webhooks: { [type]: { post: { summary: 'Made' } } } } });
        assert.deepEqual(data.modified, [type]);
        assert.equal((await svix.eventType.get(type)).description, 'Made');
    },
    'eventType.get': async ({ svix }) => assert.equal((await svix.eventType.get('order.paid')).name, 'order.paid'),
    'eventType.upsert': async ({ svix, name }) => {
        const made = await svix.eventType.upsert(name(), { description: 'Made', deprecated: true });
        assert.equal(made.deprecated, true);
        const replaced = await svix.eventType.upsert(made.name, { description: 'Replaced' });
        assert.deepEqual([replaced.description, replaced.deprecated], ['Replaced', false]);
    },
    'eventType.delete': async ({ svix, name }) => {
        const { name: archived } = await svix.eventType.create({ name: name(), description: '' });
        await svix.eventType.delete(archived);
        assert.equal((await svix.eventType.get(archived)).archived, true);
        await svix.eventType.delete(archived, { expunge: true });
        await gone(() => svix.eventType.get(archived));
    },
    'eventType.patch': async ({ svix, name }) => {
        const { name: patched } = await svix.eventType.create({ name: name(), description: 'Old', deprecated: true });
        const type = await svix.eventType.patch(patched, { description: 'New' });
        assert.deepEqual([type.description, type.deprecated], ['New', true]);
    },

    'endpoint.list': async ({ svix, app, endpoint }) => assert.ok(ids(await svix.endpoint.list(app)).includes(endpoint)),
    'endpoint.create': async ({ svix, app, name }) => {
        const uid = name();
        const made = await svix.endpoint.create(app, { url: 'http://h', uid, disabled: true });
        assert.match(made.id, /^ep_[0-9A-Za-z]{27}$/);
        assert.deepEqual([made.url, made.uid, made.description, made.disabled, made.metadata],
            ['http://h/', uid, '', true, {}]);
    },
    'endpoint.get': async ({ svix, app, endpoint }) =>
        assert.equal((await svix.endpoint.get(app, endpoint)).id, endpoint),
    'endpoint.upsert': async ({ svix, app, name }) => {
        const made = await svix.endpoint.upsert(app, name(), { url: 'http://h/', description: 'Made', disabled: true });
        const { key } = await svix.endpoint.getSecret(app, made.id);
        const replaced = await svix.endpoint.upsert(app, made.id, { url: 'http://i/', disabled: true });
        assert.deepEqual([replaced.id, replaced.url, replaced.description], [made.id, 'http://i/', '']);
        assert.equal((await svix.endpoint.getSecret(app, made.id)).key, key);
    },
    'endpoint.delete': async ({ svix, app }) => {
        const { id } = await svix.endpoint.create(app, { url: 'http://h/', disabled: true });
        await svix.endpoint.delete(app, id);
        await gone(() => svix.endpoint.get(app, id));
    },
    'endpoint.patch': async ({ svix, app }) => {
        const { id } = await svix.endpoint.create(app, { url: 'http://h/', description: 'Kept', disabled: true });
        const patched = await svix.endpoint.patch(app, id, { url: 'http://i/' });
        assert.deepEqual([patched.url, patched.description, patched.disabled], ['http://i/', 'Kept', true]);
    },
    'endpoint.getSecret': async ({ svix, app, endpoint, secret }) =>
        assert.equal((await svix.endpoint.getSecret(app, endpoint)).key, secret),
    'endpoint.rotateSecret': async ({ svix, app, library, receiver }) => {
        const { id } = await svix.endpoint.create(app, { url: `${receiver.url}/rotated`, channels: ['rotated'] });
        const { key: old } = await svix.endpoint.getSecret(app, id);
        await svix.endpoint.rotateSecret(app, id, {});
        const { key } = await svix.endpoint.getSecret(app, id);
        assert.notEqual(key, old);
        const { id: message } = await svix.message.create(app,
            { eventType: 'order.paid', payload: { n: 1 }, channels: ['rotated'] });
        const delivery = await arrived(receiver, message, '/hook/rotated');
        assert.equal(delivery.headers['webhook-signature'].split(' ').length, 2);
        for (const secret of [old, key]) {
            assert.deepEqual(verify(secret, delivery), { n: 1 });
            new library.Webhook(secret).verify(delivery.body.toString(), delivery.headers);      // throws unless it holds
        }
    },
    'endpoint.getHeaders': async ({ svix, app, endpoint }) =>
        assert.deepEqual(await svix.endpoint.getHeaders(app, endpoint), { headers: {}, sensitive: [] }),
    'endpoint.setHeaders': c => headers(c, 'setHeaders', 'patchHeaders'),
    'endpoint.patchHeaders': c => headers(c, 'setHeaders', 'patchHeaders'),
    'endpoint.replayMissing': c => task(c, 'endpoint.replay', c.svix.endpoint.replayMissing(c.app, c.endpoint, minute())),
    'endpoint.bulkReplay': c => task(c, 'endpoint.bulk-replay',
        c.svix.endpoint.bulkReplay(c.app, c.endpoint, { ...minute(), eventTypes: ['none'] })),
    'endpoint.recover': c => task(c, 'endpoint.recover', c.svix.endpoint.recover(c.app, c.endpoint, minute())),
    'endpoint.sendExample': async ({ svix, app, endpoint, receiver, secret }) => {
        const { id } = await svix.endpoint.sendExample(app, endpoint, { eventType: 'svix.ping', exampleIndex: 0 });
        assert.deepEqual(verify(secret, await arrived(receiver, id)), { success: true });
    },
    'endpoint.getStats': async ({ svix, app, endpoint }) => {
        const stats = await svix.endpoint.getStats(app, endpoint, minute());
        assert.deepEqual(Object.keys(stats).sort(), ['canceled', 'fail', 'pending', 'sending', 'success']);
        assert.ok(stats.success >= 1);
    },

    'message.list': async ({ svix, app, message }) =>
        assert.ok(ids(await svix.message.list(app, { limit: 250 })).includes(message)),
    'message.create': async ({ svix, app, name }) => {
        const eventId = name();
        const made = await svix.message.create(app, { eventType: 'order.paid', eventId, payload: { n: 2 }, channels: ['none'] });
        assert.match(made.id, /^msg_[0-9A-Za-z]{27}$/);
        assert.deepEqual([made.eventType, made.eventId, made.channels], ['order.paid', eventId, ['none']]);
        assert.equal((await svix.message.get(app, eventId)).id, made.id);
        await assert.rejects(svix.message.create(app, { eventType: 'order.paid', eventId, payload: {} }),
            error => error.code === 409 && error.body.code === 'conflict');
    },
    'message.precheck': async ({ svix, app }) =>
        assert.deepEqual(await svix.message.precheck(app, { eventType: 'order.paid' }), { active: true }),
    'message.get': async ({ svix, app, message }) =>
        assert.deepEqual((await svix.message.get(app, message, { withContent: true })).payload, { amount: 12 }),
    'message.expungeContent': async ({ svix, app }) => {
        const { id } = await svix.message.create(app, { eventType: 'order.paid', payload: { n: 3 }, channels: ['none'] });
        await svix.message.expungeContent(app, id);
        assert.deepEqual((await svix.message.get(app, id, { withContent: true })).payload, { expired: true });
    },

    'messageAttempt.listByEndpoint': async ({ svix, app, endpoint, attempt }) =>
        assert.ok(ids(await svix.messageAttempt.listByEndpoint(app, endpoint)).includes(attempt)),
    'messageAttempt.listByMsg': async ({ svix, app, message, attempt }) =>
        assert.ok(ids(await svix.messageAttempt.listByMsg(app, message)).includes(attempt)),
    'messageAttempt.listAttemptedMessages': async ({ svix, app, endpoint, message }) =>
        assert.ok(ids(await svix.messageAttempt.listAttemptedMessages(app, endpoint)).includes(message)),
    'messageAttempt.listAttemptedDestinations': async ({ svix, app, endpoint, message }) =>
        assert.ok(ids(await svix.messageAttempt.listAttemptedDestinations(app, message)).includes(endpoint)),
    'messageAttempt.get': async ({ svix, app, endpoint, message, attempt, receiver }) => {
        const a = await svix.messageAttempt.get(app, message, attempt);
        assert.deepEqual([a.id, a.msgId, a.endpointId, a.url, a.response, a.responseStatusCode, a.status, a.statusText, a.triggerType],
            [attempt, message, endpoint, receiver.url, '', 204, 0, 'success', 0]);
        assert.ok(a.responseDurationMs >= 0 && a.timestamp.getTime() > 0);
    },
    'message.expungeAllContents': async c => {
        const { svix, name } = c;
        const { id: app } = await svix.application.create({ name: name() });
        const { id } = await svix.message.create(app, { eventType: 'order.paid', payload: { secret: 1 } });
        await task(c, 'application.purge_content', svix.message.expungeAllContents(app));
        assert.deepEqual((await svix.message.get(app, id, { withContent: true })).payload, { expired: true });
    },
    'messageAttempt.expungeContent': async ({ svix, app, endpoint }) => {
        const { id } = await svix.message.create(app, { eventType: 'order.paid', payload: {} });
        const [{ id: attempt }] = await until(async () => (await svix.messageAttempt.listByMsg(app, id, { endpointId: endpoint })).data,
            attempts => attempts.length > 0);
        await svix.messageAttempt.expungeContent(app, id, attempt);
        assert.equal((await svix.messageAttempt.get(app, id, attempt)).response, 'EXPUNGED');
    },
    'messageAttempt.resend': async ({ svix, app, endpoint, message, receiver }) => {
        const before = receiver.deliveries.length;
        await svix.messageAttempt.resend(app, message, endpoint);
        await receiver.arrived(() => receiver.deliveries.slice(before).some(d => d.headers['webhook-id'] === message));
    },

    'backgroundTask.list': async ({ svix }) => assert.ok(Array.isArray((await svix.backgroundTask.list({ limit: 1 })).data)),
    'backgroundTask.get': async ({ svix }) => gone(() => svix.backgroundTask.get(`qtask_${'0'.repeat(27)}`)),
    ...operational('operationalWebhook.endpoint', svix => svix.operationalWebhook.endpoint),
    'authentication.appPortalAccess': async ({ svix, as, name }) => {
        const uid = name();
        const application = { name: 'Shop', uid };
        const { url, token } = await svix.authentication.appPortalAccess(uid,
            { application, featureFlags: ['beta'], expiry: 3600, sessionId: 'ada' });
        assert.equal(new URL(url).hash, `#token=${token}`);
        const portal = as(token);
        assert.equal((await portal.application.get(uid)).name, 'Shop');
        const { id } = await portal.endpoint.create(uid, { url: 'http://h/', disabled: true });
        assert.match((await portal.endpoint.getSecret(uid, id)).key, /^whsec_/);
        await refused(403, () => portal.application.list());
        await refused(403, () => portal.message.create(uid, { eventType: 'order.paid', payload: {} }));

        const hidden = await svix.eventType.create({ name: name(), description: '', featureFlags: ['beta'] });
        assert.equal((await portal.eventType.get(hidden.name)).name, hidden.name);
        const viewer = as((await svix.authentication.appPortalAccess(uid, { readOnly: true })).token);
        await gone(() => viewer.eventType.get(hidden.name));
        await refused(403, () => viewer.endpoint.getSecret(uid, id));
        await refused(403, () => viewer.endpoint.patch(uid, id, { description: 'd' }));
    },
    'authentication.expireAll': async ({ svix, as, name }) => {
        const { id } = await svix.application.create({ name: 'Shop', uid: name() });
        const open = async sessionId => as((await svix.authentication.appPortalAccess(id, { sessionId })).token);
        const [ada, bob] = [await open('ada'), await open('bob')];
        await svix.authentication.expireAll(id, { sessionIds: ['ada'] });
        await refused(401, () => ada.application.get(id));
        await svix.authentication.expireAll(id, { expiry: 3600 });
        assert.equal((await bob.application.get(id)).id, id);
        await svix.authentication.expireAll(id);
        await refused(401, () => bob.application.get(id));
        assert.equal((await (await open('ada')).application.get(id)).id, id);
    },
    'authentication.logout': async ({ svix, as, app }) => {
        const portal = as((await svix.authentication.appPortalAccess(app)).token);
        assert.equal(await portal.authentication.logout(), undefined);
        await refused(401, () => portal.application.get(app));
        await refused(403, () => svix.authentication.logout());
    },

    'statistics.aggregateAppStats': async c => {
        const { svix, app } = c;
        const asked = svix.statistics.aggregateAppStats({ ...minute(), until: new Date(Date.now() + 60_000), appIds: [app, 'none'] });
        const { data } = await task(c, 'application.stats', asked);
        assert.deepEqual((await asked).unresolvedAppIds, ['none']);
        assert.deepEqual([data.appStats.length, data.appStats[0].appId, data.appStats[0].appUid], [1, app, null]);
        assert.ok(data.appStats[0].messageDestinations >= 1);
    },
    'statistics.aggregateEventTypes': async c => {
        const { svix, name } = c;
        const { id: app } = await svix.application.create({ name: name() });
        await svix.endpoint.create(app, { url: 'http://h/', eventTypes: ['order.paid'], filterTypes: ['order.paid'] });
        const { data } = await task(c, 'event-type.aggregate', svix.statistics.aggregateEventTypes());
        assert.deepEqual(data.event_types.find(type => type.appId === app),
            { appId: app, explicitlySubscribedEventTypes: ['order.paid'], hasCatchAllEndpoint: false });
    },
    'health.get': async ({ svix }) => assert.equal(await svix.health.get(), undefined),
};

// What 2.x has beside.
const casesOf2 = {
    'message.bulkExpungeContent': async ({ svix, app, name }) => {
        const eventId = name();
        const { id } = await svix.message.create(app, { eventType: 'order.paid', eventId, payload: { secret: 1 } });
        const { results } = await svix.message.bulkExpungeContent(app, { ids: [eventId, 'none'] });
        assert.deepEqual(results, { [eventId]: 'expunged', none: 'not-found' });
        assert.deepEqual((await svix.message.get(app, id, { withContent: true })).payload, { expired: true });
    },
};

// What 1.x has beside.
const casesOf1 = {
    'authentication.dashboardAccess': async ({ svix, as, app }) => {
        const { url, token } = await svix.authentication.dashboardAccess(app);
        assert.ok(url.endsWith(`#token=${token}`));
        assert.equal((await as(token).application.get(app)).id, app);
    },
    'endpoint.headersUpdate': c => headers(c, 'headersUpdate', 'headersPatch'),
    'endpoint.headersPatch': c => headers(c, 'headersUpdate', 'headersPatch'),
    ...operational('operationalWebhookEndpoint', svix => svix.operationalWebhookEndpoint),
    'backgroundTask.listByEndpoint': async ({ svix }) =>
        assert.ok(Array.isArray((await svix.backgroundTask.listByEndpoint({ limit: 1 })).data)),
};

// Operational endpoints, which are in two places of 1.x; `part` finds them.
function operational(prefix, part) {
    const body = { url: 'http://h', disabled: true };
    const with_one = run => async c => {
        const at = part(c.svix);
        const made = await at.create(body);
        await run(at, made.id);
        await at.delete(made.id);
    };
    return Object.fromEntries(Object.entries({
        create: with_one(async (at, id) => assert.match(id, /^ep_[0-9A-Za-z]{27}$/)),
        list: with_one(async (at, id) => assert.deepEqual(ids(await at.list({ limit: 1 })), [id])),
        get: with_one(async (at, id) => assert.equal((await at.get(id)).url, 'http://h/')),
        upsert: with_one(async (at, id) => {
            const replaced = await at.upsert(id, { ...body, description: 'Replaced' });
            assert.deepEqual([replaced.id, replaced.description], [id, 'Replaced']);
        }),
        delete: async ({ svix }) => {
            const { id } = await part(svix).create(body);
            await part(svix).delete(id);
            await gone(() => part(svix).get(id));
        },
        getSecret: with_one(async (at, id) => assert.match((await at.getSecret(id)).key, /^whsec_/)),
        rotateSecret: with_one(async (at, id) => {
            const { key } = await at.getSecret(id);
            await at.rotateSecret(id, {});
            assert.notEqual((await at.getSecret(id)).key, key);
        }),
        getHeaders: with_one(async (at, id) => assert.deepEqual(await at.getHeaders(id), { headers: {}, sensitive: [] })),
        setHeaders: with_one(async (at, id) => {
            await at.setHeaders(id, { headers: { 'X-One': '1' } });
            assert.deepEqual((await at.getHeaders(id)).headers, { 'X-One': '1' });
        }),
    }).map(([method, run]) => [`${prefix}.${method}`, run]));
}

async function headers({ svix, app }, set, patch) {
    const { id } = await svix.endpoint.create(app, { url: 'http://h/', disabled: true });
    await svix.endpoint[set](app, id, { headers: { 'X-One': '1', 'X-Two': '2', 'X-Three': '3', Authorization: 'secret' } });
    assert.deepEqual(await svix.endpoint.getHeaders(app, id),
        { headers: { 'X-One': '1', 'X-Two': '2', 'X-Three': '3' }, sensitive: ['Authorization'] });
    await svix.endpoint[patch](app, id, { headers: { 'X-Two': 'two', 'X-Three': null }, deleteHeaders: ['X-One'] });
    assert.deepEqual((await svix.endpoint.getHeaders(app, id)).headers, { 'X-Two': 'two' });
    await svix.endpoint[set](app, id, { headers: {} });
    assert.deepEqual(await svix.endpoint.getHeaders(app, id), { headers: {}, sensitive: [] });
}

async function task({ svix }, kind, asked) {
    const begun = await asked;
    assert.match(begun.id, /^qtask_[0-9A-Za-z]{27}$/);
    assert.equal(begun.task, kind);
    const ended = await until(() => svix.backgroundTask.get(begun.id), now => now.status !== 'running');
    assert.equal(ended.status, 'finished');
    assert.ok(ids(await svix.backgroundTask.list({ status: 'finished', task: kind })).includes(begun.id));
    return ended;
}

export const served = { 1: { ...cases, ...casesOf1 }, 2: { ...cases, ...casesOf2 } };

// Whoever serves one of these moves it up. A '*' stands for the rest of the name.
export const to_come = [];

export const hosted_only = [
    'authentication.stream*', 'authentication.rotateStreamPollerToken',
    'authentication.getStreamPollerToken', 'autoconfigSubscription.*', 'connector.*', 'destination.*', 'environment.*',
    'endpoint.transformation.*', 'endpoint.transformationGet', 'endpoint.patchTransformation',
    'endpoint.transformationPartialUpdate', 'ingest.*', 'integration.*', 'message.poller.*', 'streaming.*',
];

export function isAmong(list, method) {
    return list.some(name => name.endsWith('*') ? method.startsWith(name.slice(0, -1)) : method === name);
}
