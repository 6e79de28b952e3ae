// Three regions on one machine: certificates, replication, requests that belong elsewhere, and a region that dies.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkedFetch, Dispatcher, posthaste } from './lib/dispatcher.mjs';
import { Receiver, verify } from './lib/receiver.mjs';
import { until } from './lib/wait.mjs';

const names = ['fra', 'iad', 'sin'];
const regions = {};
let receiver, token;

async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
}

async function make(name) {
    const port = await freePort();
    const key = name === 'fra' ? [] : ['--token-key', join(regions.fra.dir, 'token.key')];
    regions[name] = new Dispatcher({
        init: ['--region', name, '--link-listen', `127.0.0.1:${port}`, '--link-url', `https://127.0.0.1:${port}`, ...key],
    });
}

function introduce(one, other) {
    const card = one.run('region', 'certificate', 'show', '--config', one.config);
    execFileSync(posthaste, ['region', 'add', '-', '--config', other.config], { input: card });
}

async function ask(name, method, path, { body, headers } = {}) {
    const response = await checkedFetch(`${regions[name].url}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        body: body && JSON.stringify(body),
        redirect: 'manual',
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null };
}

async function states(name) {
    const { body } = await ask(name, 'GET', '/regions');
    return Object.fromEntries(body.data.map(region => [region.name, region.state]));
}

const see = (name, wanted) =>
    until(async () => {
        const seen = await states(name);
        return Object.entries(wanted).every(([region, state]) => seen[region] === state);
    }, is => is, 50);

before(async () => {
    receiver = await new Receiver().start();
    for (const name of names) await make(name);
    for (const one of names) for (const other of names) if (one !== other) introduce(regions[one], regions[other]);
    token = regions.fra.token;
    for (const name of names) await regions[name].start();
    for (const name of names)
        await see(name, Object.fromEntries(names.map(other => [other, other === name ? 'self' : 'alive'])));
});

after(async () => {
    for (const name of names) if (regions[name]?.process?.exitCode === null) assert.equal(await regions[name].stop(), 0);
    await receiver?.stop();
    for (const name of names) regions[name]?.remove();
});

test('an application is made at its home, whichever region is asked, and is soon in all', async () => {
    const residency = { jurisdiction: 'eu', home: 'fra' };
    const made = await ask('iad', 'POST', '/app', { body: { name: 'Acme', uid: 'acme', residency } });
    assert.equal(made.status, 201);
    assert.equal(made.headers.get('posthaste-region'), 'fra');
    assert.equal(made.headers.get('posthaste-home-region'), 'fra');
    for (const name of names) await until(async () => (await ask(name, 'GET', '/app/acme')).status === 200, is => is, 20);
    const read = await ask('sin', 'GET', '/app/acme');
    assert.equal(read.headers.get('posthaste-region'), 'sin');
    assert.deepEqual(read.body, made.body);
});

test('a bookmark waits for what its owner has seen', async () => {
    for (let i = 0; i < 50; i++) {
        const { headers } = await ask('fra', 'PATCH', '/app/acme', { body: { name: `Acme ${i}` } });
        const bookmark = headers.get('posthaste-bookmark');
        assert.ok(bookmark);
        const read = await ask('sin', 'GET', '/app/acme', { headers: { 'posthaste-bookmark': bookmark } });
        assert.equal(read.status, 200);
        assert.equal(read.body.name, `Acme ${i}`);
    }
});

test('a message lies at home alone, is sent, and can be inspected from anywhere', async () => {
    const canary = `CANARY-${Math.random().toString(36).slice(2)}`;
    const endpoint = await ask('sin', 'POST', '/app/acme/endpoint', { body: { url: receiver.url } });
    assert.equal(endpoint.status, 201);
    const secret = await ask('iad', 'GET', `/app/acme/endpoint/${endpoint.body.id}/secret`);
    assert.equal(secret.status, 200);
    const sent = await ask('iad', 'POST', '/app/acme/msg', { body: { eventType: 'order.paid', payload: { canary } } });
    assert.equal(sent.status, 202);
    assert.equal(sent.headers.get('posthaste-region'), 'fra');
    await until(async () => {
        const attempts = await ask('sin', 'GET', `/app/acme/attempt/msg/${sent.body.id}`);
        return attempts.body.data.some(attempt => attempt.status === 0);
    }, is => is, 20);
    for (const name of names) {
        const files = readdirSync(join(regions[name].dir, 'data')).map(file => readFileSync(join(regions[name].dir, 'data', file)));
        assert.equal([...files, Buffer.from(regions[name].logs.join('\n'))].some(bytes => bytes.includes(canary)), name === 'fra', name);
    }
});

test('which region sends, and why, is told wherever that is asked', async () => {
    const sent = await ask('iad', 'POST', '/app/acme/msg', { body: { eventType: 'order.paid', eventId: 'why', payload: {} } });
    assert.equal(sent.status, 202);
    await until(async () => (await ask('fra', 'GET', '/app/acme/attempt/msg/why')).body.data.length > 0, is => is, 20);
    for (const name of names) {
        const told = await ask(name, 'POST', '/route/explain', { body: { appId: 'acme', messageId: 'why' } });
        assert.equal(told.status, 200);
        assert.equal(told.headers.get('posthaste-region'), 'fra');
        const [{ text, decision, inputs, recorded }] = told.body.data;
        assert.match(text, /^application acme \(eu, home fra\) .*\n 1 legal {7}\{fra\} {3}iad, sin: not in the jurisdiction\n/);
        assert.equal(decision.region, 'fra');
        assert.deepEqual([recorded.region, recorded.match, recorded.difference], ['fra', true, null]);
        assert.ok(Date.parse(recorded.decidedAt) <= Date.now());
        const kept = await ask(name, 'POST', '/route/explain', { body: { recorded: { inputs, decision } } });
        assert.equal(kept.body.data[0].recorded.match, true);
        assert.equal(kept.headers.get('posthaste-region'), name);
    }
    const endpoint = (await ask('sin', 'GET', '/app/acme/endpoint')).body.data[0].id;
    assert.equal((await ask('fra', 'POST', '/regions/fra/drain')).status, 200);
    const drains = await ask('sin', 'POST', '/route/explain', { body: { endpointId: endpoint } });
    assert.match(drains.body.data[0].text, /fra: draining; so the home, all the same/);
    assert.equal((await ask('fra', 'POST', '/regions/fra/undrain')).status, 200);
});

test('one idempotency key in two regions at once makes one message', async () => {
    const body = { eventType: 'order.paid', payload: { n: 1 } };
    for (let i = 0; i < 20; i++) {
        const headers = { 'idempotency-key': `key-${i}` };
        const answers = await Promise.all(names.map(name => ask(name, 'POST', '/app/acme/msg', { body, headers })));
        assert.deepEqual(answers.map(({ status }) => status), [202, 202, 202]);
        assert.equal(new Set(answers.map(answer => answer.body.id)).size, 1);
    }
});

test('one idempotency key in the regions at once makes one of all that has a home', async () => {
    const secret = async () => (await ask('iad', 'GET', `${endpoint}/secret`)).body.key;
    const { body: { id: app } } = await ask('fra', 'POST', '/app', { body: { name: 'Once' } });
    const { body: { id } } = await ask('sin', 'POST', `/app/${app}/endpoint`, { body: { url: 'http://127.0.0.1:1/', disabled: true } });
    const endpoint = `/app/${app}/endpoint/${id}`;
    const old = await secret();
    const requests = [
        ['/app', 201, { name: 'Once', residency: { jurisdiction: 'us', home: 'iad' } }],
        ['/event-type', 201, { name: 'once', description: '' }],
        [`/app/${app}/endpoint`, 201, { url: 'http://127.0.0.1:1/', disabled: true }],
        [`${endpoint}/recover`, 202, { since: new Date(Date.now() - 60_000).toISOString() }],
        [`${endpoint}/secret/rotate`, 204, {}],
        ['/regions/sin/drain', 200, undefined],
        ['/regions/sin/undrain', 200, undefined],
    ];
    for (const [path, status, body] of requests) {
        const headers = { 'idempotency-key': 'once' };
        const answers = await Promise.all(names.map(name => ask(name, 'POST', path, { body, headers })));
        assert.deepEqual(answers.map(answer => answer.status), [status, status, status], path);
        assert.equal(new Set(answers.map(answer => JSON.stringify(answer.body))).size, 1, path);
    }
    const rotated = await secret();
    assert.notEqual(rotated, old);
    await ask('fra', 'POST', `${endpoint}/secret/rotate`, { body: {}, headers: { 'idempotency-key': 'once' } });
    assert.equal(await secret(), rotated);

    // Said once more under the first key, it isn't done again.
    await ask('fra', 'POST', '/regions/sin/drain', { headers: { 'idempotency-key': 'once' } });
    assert.equal((await ask('sin', 'GET', '/regions/sin')).body.draining, false);
});

test('each region tells by itself what happens in it', async t => {
    const ops = await new Receiver().start();
    t.after(() => ops.stop());
    const operational = await ask('sin', 'POST', '/operational-webhook/endpoint', { body: { url: ops.url, uid: 'ops' } });
    assert.equal(operational.status, 201);
    assert.equal(operational.headers.get('posthaste-region'), 'fra');       // the directory's
    for (const name of names)
        await until(async () => (await ask(name, 'GET', '/operational-webhook/endpoint/ops')).status === 200, is => is, 20);
    const { key } = (await ask('iad', 'GET', '/operational-webhook/endpoint/ops/secret')).body;

    const made = [];
    const make = async name => {
        const { body } = await ask(name, 'POST', `/app/told-${name}/endpoint`, { body: { url: receiver.url, disabled: true } });
        made.push(body.id);
    };
    for (const name of names) {
        assert.equal((await ask(name, 'POST', '/app', { body: { name, uid: `told-${name}` } })).status, 201);
        await make(name);
    }
    await ops.arrived(3);
    await regions.fra.kill();
    await see('sin', { fra: 'dead' });
    assert.equal((await ask('sin', 'PATCH', '/operational-webhook/endpoint/ops', { body: {} })).status, 503);
    await make('sin');
    await ops.arrived(() => new Set(ops.deliveries.map(d => d.headers['webhook-id'])).size === 4);
    const told = ops.deliveries.map(delivery => verify(key, delivery));
    assert.deepEqual(told.map(({ type }) => type), told.map(() => 'endpoint.created'));
    assert.deepEqual([...new Set(told.map(({ data }) => data.endpointId))].sort(), made.sort());

    await regions.fra.start();
    await see('sin', { fra: 'alive' });
    assert.equal((await ask('sin', 'DELETE', '/operational-webhook/endpoint/ops')).status, 204);
});

test('while its home is down a message is refused everywhere, and others go on', async () => {
    const residency = { jurisdiction: 'us', home: 'iad' };
    assert.equal((await ask('iad', 'POST', '/app', { body: { name: 'Other', uid: 'other', residency } })).status, 201);
    await until(async () => (await ask('sin', 'GET', '/app/other')).status === 200, is => is, 20);
    await regions.fra.kill();
    await see('sin', { fra: 'dead', iad: 'alive' });
    const held = await ask('sin', 'POST', '/app/acme/msg', { body: { eventType: 'order.paid', payload: {} } });
    assert.equal(held.status, 503);
    assert.equal(held.body.code, 'urn:posthaste:residency-hold');
    assert.ok(Number(held.headers.get('retry-after')) > 0);
    assert.equal((await ask('sin', 'GET', '/app/acme')).status, 200);       // its replica is there
    assert.equal((await ask('sin', 'POST', '/app/other/msg', { body: { eventType: 'a', payload: {} } })).status, 202);
    await regions.fra.start();
    await see('sin', { fra: 'alive' });
    assert.equal((await ask('sin', 'POST', '/app/acme/msg', { body: { eventType: 'order.paid', payload: {} } })).status, 202);
});

test('a region that was away catches up', async () => {
    await regions.sin.stop();
    for (let i = 0; i < 100; i++)
        await ask('fra', 'POST', '/app/acme/endpoint', { body: { url: receiver.url, uid: `away-${i}` } });
    await regions.sin.start();
    await until(async () => (await ask('sin', 'GET', '/app/acme/endpoint/away-99')).status === 200, is => is, 20);
    const { body } = await ask('sin', 'GET', '/app/acme/endpoint?limit=250');
    assert.equal(body.data.length, 101);
});

const position = async (name, of) =>
    (await ask(name, 'GET', '/replication')).body.data.find(({ region }) => region === of)?.seq;

test('regions that have applied the same have the same digest', async () => {
    await until(async () => (await position('sin', 'fra')) === (await position('fra', 'fra')), is => is, 20);
    const [here, there] = await Promise.all(['fra', 'sin'].map(name => ask(name, 'GET', '/replication/fra/digest')));
    assert.equal(here.status, 200);
    assert.ok(here.body.objects > 100);
    assert.deepEqual(here.body, there.body);
    const compared = await until(async () => (await ask('sin', 'GET', '/replication')).body.data.find(({ region }) => region === 'fra'),
        ({ digest }) => digest !== null, 20);
    assert.equal(compared.digest, 'equal');
});

test('a region can be seeded anew', async () => {
    const adopted = regions.sin.logged('snapshot_adopted');
    assert.equal((await ask('sin', 'POST', '/replication/fra/reseed')).status, 204);
    await ask('fra', 'PATCH', '/app/acme', { body: { name: 'Acme' } });     // what waits there comes back
    await adopted;
    await until(async () => (await position('sin', 'fra')) === (await position('fra', 'fra')), is => is, 20);
    const [here, there] = await Promise.all(['fra', 'sin'].map(name => ask(name, 'GET', '/replication/fra/digest')));
    assert.deepEqual(here.body, there.body);
    assert.equal((await ask('sin', 'POST', '/replication/sin/reseed')).status, 409);
    assert.equal((await ask('sin', 'POST', '/replication/gru/reseed')).status, 404);
});

test('a region that lost its data is another history: the others stop, until they are told to adopt it', async () => {
    await regions.fra.stop();
    rmSync(join(regions.fra.dir, 'data'), { recursive: true });
    const stopped = regions.sin.logged('replication_stopped');
    await regions.fra.start();
    const residency = { jurisdiction: 'eu', home: 'fra' };
    const { body } = await ask('fra', 'POST', '/app', { body: { name: 'New', uid: 'new', residency } });
    assert.match((await stopped).reason, /history/);
    assert.equal((await ask('sin', 'GET', '/app/acme')).status, 200);       // what it has stays
    const look = async () => (await ask('sin', 'GET', '/regions')).body.data.find(({ name }) => name === 'fra');
    assert.match((await until(look, ({ reason }) => reason !== null)).reason, /history/);
    const adopted = regions.sin.logged('snapshot_adopted');
    assert.equal((await ask('sin', 'POST', '/replication/fra/reseed')).status, 204);
    await adopted;
    assert.equal((await ask('sin', 'GET', '/app/new')).body.id, body.id);
    assert.equal((await ask('sin', 'GET', '/app/acme')).status, 404);
});
