// What an organization is told of its endpoints and messages: through the published clients, at a real receiver.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { dispatcher, posthaste } from './lib/dispatcher.mjs';
import { receiver, verify } from './lib/receiver.mjs';
import { client, majors } from './lib/svix.mjs';
import { until } from './lib/wait.mjs';

const contract = JSON.parse(execFileSync(posthaste, ['openapi'], { encoding: 'utf8', maxBuffer: 16 << 20 }));
const ajv = new Ajv({ strict: false });
addFormats(ajv);
ajv.addSchema({ $id: 'openapi', components: contract.components });

// An operational endpoint at a receiver of its own; told() waits until the types are these, in whatever order they came.
async function pager(t, d, fields = {}) {
    const r = await receiver(t);
    const endpoint = await d.must('POST', '/operational-webhook/endpoint', { url: r.url, ...fields });
    const { key } = await d.must('GET', `/operational-webhook/endpoint/${endpoint.id}/secret`);
    const bodies = () => r.deliveries.map(delivery => verify(key, delivery));
    const told = async types => {
        await r.arrived(types.length);
        assert.deepEqual(bodies().map(b => b.type).sort(), [...types].sort());
        for (const body of bodies()) {
            const { schema } = contract.webhooks[body.type].post.requestBody.content['application/json'];
            const check = ajv.compile({ $ref: schema.$ref.replace('#', 'openapi#') });
            assert.ok(check(body), `${JSON.stringify(body)}: ${ajv.errorsText(check.errors)}`);
        }
        return Object.fromEntries(bodies().map(b => [b.type, b.data]));
    };
    return { endpoint, r, bodies, told };
}

for (const major of majors) {
    test(`${major.name} has all nine methods, and the endpoint is told of another`, async t => {
        const d = await dispatcher(t);
        const r = await receiver(t);
        const svix = client(major, d);
        const { endpoint: operational } = svix.operationalWebhook;

        assert.deepEqual((await operational.list()).data, []);
        const types = ['endpoint.created', 'endpoint.deleted'];
        const made = await operational.create({ url: r.url, uid: 'pager', filterTypes: types, eventTypes: types });
        assert.deepEqual(made.eventTypes ?? made.filterTypes, types);
        assert.ok(made.createdAt instanceof Date && made.updatedAt instanceof Date);
        assert.deepEqual((await operational.list({ limit: 10, order: 'ascending' })).data.map(e => e.id), [made.id]);
        assert.equal((await operational.get('pager')).id, made.id);
        const changed = await operational.upsert('pager', { url: r.url, uid: 'pager', description: 'On call' });
        assert.deepEqual([changed.id, changed.description], [made.id, 'On call']);
        assert.equal(changed.eventTypes ?? changed.filterTypes ?? null, null);

        const { key: old } = await operational.getSecret('pager');
        await operational.rotateSecret('pager', {});
        const { key } = await operational.getSecret('pager');
        assert.notEqual(key, old);
        await operational.setHeaders('pager', { headers: { 'X-Team': 'ops', Authorization: 'Basic eA==' } });
        assert.deepEqual(await operational.getHeaders('pager'), { headers: { 'X-Team': 'ops' }, sensitive: ['Authorization'] });

        const app = await svix.application.create({ name: 'Shop', uid: 'shop' });
        const endpoint = await svix.endpoint.create('shop', { url: 'http://127.0.0.1:9/', uid: 'books' });
        await r.arrived(1);
        for (const secret of [old, key])
            assert.deepEqual(verify(secret, r.deliveries[0]), {
                type: 'endpoint.created',
                data: { appId: app.id, appUid: 'shop', endpointId: endpoint.id, endpointUid: 'books' },
            });
        assert.equal(r.deliveries[0].headers['x-team'], 'ops');

        assert.deepEqual((await svix.application.list()).data.map(a => a.uid), ['shop']);
        await operational.delete('pager');
        await assert.rejects(operational.get('pager'), error => error.code === 404);
        await assert.rejects(operational.create({ url: 'http://h/', filterTypes: ['order.paid'], eventTypes: ['order.paid'] }), error => error.code === 422);
    });
}

test('an endpoint is told of from its creation to its end', async t => {
    const d = await dispatcher(t);
    const { told } = await pager(t, d);
    const r = await receiver(t, (_, response) => response.writeHead(410).end());
    const before = Date.now();
    const { app, id } = await d.endpoint(r.url);
    await d.must('PATCH', `/app/${app}/endpoint/${id}`, { description: 'x' });
    await d.send(app, {});
    await until(() => d.must('GET', `/app/${app}/endpoint/${id}`), endpoint => endpoint.disabled);
    await d.must('DELETE', `/app/${app}/endpoint/${id}`);
    const facts = await told(['endpoint.created', 'endpoint.updated', 'message.attempt.exhausted', 'endpoint.disabled',
        'endpoint.deleted']);
    const since = Date.parse(facts['endpoint.disabled'].failSince);
    assert.ok(before <= since && since <= Date.now());
});

test('a message is told failing at its fourth failure, exhausted at its last, and recovered once it gets there', async t => {
    const d = await dispatcher(t, { args: ['--retry-schedule', '0,0,0,0,0'] });
    const { told, r: operational } = await pager(t, d);
    let status = 503;
    const r = await receiver(t, (_, response) => response.writeHead(status).end());
    const { app, id } = await d.endpoint(r.url);
    const { id: message } = await d.send(app, {}, { eventId: 'evt-1' });
    const facts = await told(['endpoint.created', 'message.attempt.failing', 'message.attempt.exhausted']);
    const attempts = await d.attempts(app, message);
    assert.equal(attempts.length, 6);
    for (const [type, at] of [['message.attempt.failing', 3], ['message.attempt.exhausted', 5]])
        assert.deepEqual(facts[type], {
            appId: app, appUid: null, msgId: message, msgEventId: 'evt-1', endpointId: id,
            lastAttempt: { id: attempts[at].id, responseStatusCode: 503, timestamp: attempts[at].timestamp },
        });

    status = 204;
    for (let i = 0; i < 2; i++) {
        await d.must('POST', `/app/${app}/msg/${message}/endpoint/${id}/resend`);
        await until(() => d.attempts(app, message), made => made.length === 7 + i);
    }
    await d.must('DELETE', `/app/${app}/endpoint/${id}`);    // what is told last
    await operational.arrived(5);
    await told(['endpoint.created', 'message.attempt.failing', 'message.attempt.exhausted', 'message.attempt.recovered',
        'endpoint.deleted']);
});

test('who is told fails, and is told again; but nobody is told that', async t => {
    const d = await dispatcher(t, { args: ['--retry-schedule', '0,0,0,0,0'] });
    let bad = 5;
    const r = await receiver(t, (_, response) => response.writeHead(bad-- > 0 ? 500 : 204).end());
    await d.must('POST', '/operational-webhook/endpoint', { url: r.url });
    await d.endpoint('http://127.0.0.1:9/');
    await r.arrived(6);
    const status = await until(() => d.must('GET', '/status'), s => s.pending === 0);
    assert.equal(status.messages, 1);
    assert.equal(new Set(r.deliveries.map(x => x.headers['webhook-id'])).size, 1);
});

const kills = Number(process.env.OPERATIONAL_KILLS ?? 10);

test(`${kills} kills between a fact and its delivery lose none`, async t => {
    const d = await dispatcher(t, { args: ['--retry-schedule', '0,1,1,1,1'] });
    let deaf = true;
    const r = await receiver(t, (_, response) => {
        if (!deaf) response.writeHead(204).end();      // or no answer at all
    });
    const operational = await d.must('POST', '/operational-webhook/endpoint', { url: r.url });
    const { key } = await d.must('GET', `/operational-webhook/endpoint/${operational.id}/secret`);
    const app = await d.must('POST', '/app', { name: 'Shop' });
    const made = [];
    for (let kill = 0; kill < kills; kill++) {
        made.push((await d.must('POST', `/app/${app.id}/endpoint`, { url: 'http://127.0.0.1:9/' })).id);
        await d.kill();
        await d.start();
    }
    deaf = false;
    const ids = () => {
        const told = new Map();
        for (const delivery of r.deliveries) {
            const { endpointId } = verify(key, delivery).data;
            told.set(endpointId, (told.get(endpointId) ?? new Set()).add(delivery.headers['webhook-id']));
        }
        return told;
    };
    await r.arrived(() => made.every(id => ids().has(id)));
    for (const id of made) assert.equal(ids().get(id).size, 1, 'one change was told as two messages');
});
