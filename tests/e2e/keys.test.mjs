// A newer master key while messages go out: nothing stops, nothing is lost, and the old one can go.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { dispatcher, Dispatcher, posthaste } from './lib/dispatcher.mjs';
import { receiver, verify } from './lib/receiver.mjs';
import { until } from './lib/wait.mjs';

const ENDPOINTS = 1500;     // some two dozen bites, with pauses between

const keys = d => d.must('GET', '/master-key').then(({ data }) => data);
const command = (d, ...args) => {
    const output = d.run(...args, '--config', d.config, '--url', d.url, '--output', 'json');
    return JSON.parse(output);
};
const left = (list, id) => {
    const key = list.find(key => key.id === id);
    return key ? key.endpoints + key.journalEntries : 0;
};

// How a value that the key has sealed begins; see core/sealed.h.
const head = id => Buffer.concat([Buffer.from([2]), Buffer.from(id, 'hex')]);
const holds = (d, id) => readdirSync(join(d.dir, 'data'))
    .some(file => readFileSync(join(d.dir, 'data', file)).includes(head(id)));

test('a key is rotated under traffic, through a kill, and the old one retired', async t => {
    const d = await dispatcher(t, { args: ['--retry-schedule', '0,0,1,1,1,1,1,1,1,1'] });
    const r = await receiver(t);
    const { app, id, secret } = await d.endpoint(r.url);
    await d.must('PUT', `/app/${app}/endpoint/${id}/headers`, { headers: { 'x-canary': 'kept' } });
    const quiet = await d.must('POST', '/app', { name: 'Quiet' });
    for (let made = 0; made < ENDPOINTS; made += 100)
        await Promise.all(Array.from({ length: 100 }, () =>
            d.must('POST', `/app/${quiet.id}/endpoint`, { url: r.url })));
    const [{ id: old }] = await keys(d);
    const oldToken = d.token;

    let stop = false, up = Promise.resolve();
    const acknowledged = new Set();
    const produce = async () => {
        while (!stop) {
            try {
                acknowledged.add((await d.send(app, { n: acknowledged.size })).id);
            } catch {
                await up;       // between the kill and the next start nobody listens
            }
        }
    };
    const producers = Array.from({ length: 4 }, produce);
    await r.arrived(20);

    const rotated = command(d, 'key', 'rotate');
    assert.deepEqual(rotated.map(({ state }) => state), ['old', 'current']);
    const current = rotated[1].id;
    assert.equal(statSync(join(d.dir, 'master.key.2')).mode & 0o777, 0o600);
    await until(() => keys(d), list => left(list, current) > 0, 1);
    up = d.kill().then(() => d.start());
    await up;
    const later = (await d.call('POST', `/app/${quiet.id}/endpoint`, { url: r.url })).body;
    await until(() => keys(d), list => left(list, old) === 0, 20);
    const list = await keys(d);
    assert.deepEqual(list.map(({ id, state }) => [id, state]), [[old, 'old'], [current, 'current']]);
    assert.equal(list[1].endpoints, ENDPOINTS + 2);

    // Both keys' tokens are good until the old key is retired.
    d.token = d.run('token', 'create', '--config', d.config).trim();
    assert.equal((await d.call('GET', '/app', undefined, { authorization: `Bearer ${oldToken}` })).status, 200);
    assert.throws(() => command(d, 'key', 'retire', current, '--yes'), /newest key/);
    assert.throws(() => command(d, 'key', 'retire', old), /--yes is needed/);
    const retired = command(d, 'key', 'retire', old, '--yes');
    assert.deepEqual(retired.map(({ id, state }) => [id, state]), [[current, 'current']]);
    assert.ok(!existsSync(join(d.dir, 'master.key.2')));
    assert.equal((await d.call('GET', '/app', undefined, { authorization: `Bearer ${oldToken}` })).status, 401);
    const count = r.deliveries.length;
    await r.arrived(count + 20);
    stop = true;
    await Promise.all(producers);
    await r.arrived(() => {
        const ids = new Set(r.deliveries.map(({ headers }) => headers['webhook-id']));
        return [...acknowledged].every(id => ids.has(id));
    });
    for (const delivery of r.deliveries) {
        verify(secret, delivery);
        assert.equal(delivery.headers['x-canary'], 'kept');
    }
    await until(async () => holds(d, old), is => !is, 20);
    assert.ok(holds(d, current));

    // With one key in one file, as a region that never had another.
    assert.equal(await d.stop(), 0);
    await d.start();
    assert.match((await d.must('GET', `/app/${quiet.id}/endpoint/${later.id}/secret`)).key, /^whsec_/);
    assert.equal((await d.must('GET', `/app/${app}/endpoint/${id}/secret`)).key, secret);
});

test('a daemon keeps its keys when their files are no good, and takes them by SIGHUP', async t => {
    const d = await dispatcher(t);
    const r = await receiver(t);
    const { app, id, secret } = await d.endpoint(r.url);
    const file = join(d.dir, 'master.key'), text = readFileSync(file);
    const [{ id: old }] = await keys(d);

    renameSync(file, `${file}.away`);
    const missing = await d.call('POST', '/master-key/reload');
    assert.equal(missing.status, 409);
    assert.match(missing.body.detail, /not found/);
    writeFileSync(file, 'nonsense', { mode: 0o600 });
    assert.match((await d.call('POST', '/master-key/reload')).body.detail, /master.key: not a master key/);

    // Another key altogether, though values need this one.
    d.run('init', join(d.base, 'other'));
    renameSync(join(d.base, 'other', 'master.key'), file);
    assert.match((await d.call('POST', '/master-key/reload')).body.detail,
        new RegExp(`the file of key ${old} is gone, and 1 values need it`));
    assert.equal((await d.must('GET', `/app/${app}/endpoint/${id}/secret`)).key, secret);

    // Both: what was there before is the older one.
    renameSync(file, `${file}.2`);
    writeFileSync(file, text, { mode: 0o600 });
    const taken = d.logged('master_keys_taken');
    d.process.kill('SIGHUP');
    assert.equal((await taken).keys, 2);
    const list = await until(() => keys(d), list => left(list, old) === 0, 20);
    assert.deepEqual(list.map(({ state }) => state), ['old', 'current']);
    await d.send(app, {});
    await r.arrived(1);
    verify(secret, r.deliveries[0]);

    // What the first key has signed is no longer good for a daemon that was started without it.
    assert.equal(await d.stop(), 0);
    renameSync(`${file}.2`, file);
    d.token = d.run('token', 'create', '--config', d.config).trim();
    await d.start();
    assert.equal((await d.must('GET', `/app/${app}/endpoint/${id}/secret`)).key, secret);
});

test('deliveries whose key isn\'t there wait for it, however many retries they had left', async t => {
    const d = await dispatcher(t, { args: ['--retry-schedule', '1'] });
    const r = await receiver(t);
    const { app, id, secret } = await d.endpoint(r.url);
    const [{ id: key }] = await keys(d);
    const file = join(d.dir, 'master.key'), text = readFileSync(file);
    await d.send(app, { n: 1 });
    await r.arrived(1);
    assert.equal(await d.stop(), 0);

    // Started with another key, and with the same again: both say which one is missing.
    d.run('init', join(d.base, 'other'));
    renameSync(join(d.base, 'other', 'master.key'), file);
    d.token = d.run('token', 'create', '--config', d.config).trim();
    const missing = d.logged('master_key_missing');
    await d.start();
    const { endpoints } = await missing.then(fact => (assert.equal(fact.key, key), fact));
    assert.equal(endpoints, 1);
    const asked = await d.call('GET', `/app/${app}/endpoint/${id}/secret`);
    assert.deepEqual([asked.status, asked.body.code], [500, 'master_key_missing']);
    assert.match(asked.body.detail, new RegExp(key));
    const held = d.logged('deliveries_held');
    const message = await d.send(app, { n: 2 });
    assert.equal((await held).endpoint, id);
    const again = d.logged('master_key_missing');
    await d.must('POST', '/master-key/reload');
    assert.equal((await again).key, key);
    assert.deepEqual(await d.attempts(app, message.id), []);
    const headers = `/app/${app}/endpoint/${id}/headers`;
    await d.must('PUT', headers, { headers: { 'x-sealed': 'anew' } });

    // Back beside the other, which is the newer.
    renameSync(file, `${file}.2`);
    writeFileSync(file, text, { mode: 0o600 });
    await d.must('POST', '/master-key/reload');
    await r.arrived(2);
    verify(secret, r.deliveries[1]);
    assert.equal(r.deliveries[1].headers['x-sealed'], 'anew');
    const attempts = await until(() => d.attempts(app, message.id), list => list.length === 1, 20);
    assert.equal(attempts[0].status, 0);
});

test('a newer key is for the operator, and for a configuration that has a file', async t => {
    const d = await dispatcher(t);
    const { app } = await d.endpoint('http://127.0.0.1:9/');
    const portal = d.run('token', 'create', '--app', app, '--config', d.config).trim();
    for (const [method, path] of [['GET', '/master-key'], ['POST', '/master-key/reload']])
        assert.equal((await d.call(method, path, undefined, { authorization: `Bearer ${portal}` })).status, 403);

    const key = readFileSync(join(d.dir, 'master.key'), 'utf8').trim();
    const given = { env: { ...d.env, POSTHASTE_MASTER_KEY: key }, encoding: 'utf8', stdio: 'pipe' };
    assert.throws(() => execFileSync(posthaste, ['key', 'rotate', '--config', d.config, '--url', d.url], given),
        /POSTHASTE_MASTER_KEY: nothing can be put beside/);
    for (let n = 2; n <= 8; n++) d.run('key', 'rotate', '--offline', '--config', d.config);
    assert.throws(() => d.run('key', 'rotate', '--offline', '--config', d.config), /there are 8 master keys/);
    assert.equal((await d.must('POST', '/master-key/reload')).data.length, 8);
});

async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
}

test('each of two regions is rotated by itself, and what it tells the other still opens', async t => {
    const regions = {};
    for (const [ordinal, name] of [[1, 'fra'], [9, 'ams']]) {
        const port = await freePort();
        const key = name === 'fra' ? [] : ['--token-key', join(regions.fra.dir, 'token.key')];
        regions[name] = new Dispatcher({
            init: ['--region', name, '--ordinal', ordinal, '--jurisdiction', 'eu', '--link-listen', `127.0.0.1:${port}`,
                '--link-url', `https://127.0.0.1:${port}`, ...key].map(String),
        });
    }
    const { fra, ams } = regions;
    t.after(async () => {
        for (const region of [fra, ams]) {
            if (region.process?.exitCode === null && region.process.signalCode === null) await region.stop();
            region.remove();
        }
    });
    for (const [one, other] of [[fra, ams], [ams, fra]])
        execFileSync(posthaste, ['region', 'add', '-', '--config', other.config],
            { input: one.run('region', 'certificate', 'show', '--config', one.config) });
    ams.token = fra.token;
    const r = await receiver(t);
    await fra.start();
    const { app, id, secret } = await fra.endpoint(r.url);
    const [{ id: old }] = await keys(fra);

    // Rotated and retired while the other is away: its journal is all that the other gets.
    assert.deepEqual(command(fra, 'key', 'rotate').map(({ state }) => state), ['old', 'current']);
    await until(() => keys(fra), list => left(list, old) === 0, 20);
    const [fresh] = command(fra, 'key', 'retire', old, '--yes');
    assert.ok(fresh.journalEntries > 0);
    await until(async () => holds(fra, old), is => !is, 20);
    assert.equal((await fra.call('GET', '/app')).status, 200);      // by the key for tokens, which stays

    await ams.start();
    const there = await until(() => keys(ams), ([key]) => key.endpoints === 1, 20);
    assert.notEqual(there[0].id, fresh.id);
    command(ams, 'key', 'rotate');
    await until(() => keys(ams), list => left(list, there[0].id) === 0, 20);
    assert.deepEqual(command(ams, 'key', 'retire', there[0].id, '--yes').map(({ endpoints }) => endpoints), [1]);
    const [here, elsewhere] = await until(() => Promise.all([fra, ams].map(d => d.must('GET', '/replication/fra/digest'))),
        ([a, b]) => a.seq === b.seq, 20);
    assert.deepEqual(here, elsewhere);

    assert.equal((await ams.must('GET', `/app/${app}/endpoint/${id}/secret`)).key, secret);
    await until(() => ams.call('POST', `/app/${app}/msg`, { eventType: 'order.paid', payload: {} }),
        ({ status }) => status === 202, 20);
    await r.arrived(1);
    verify(secret, r.deliveries[0]);
});
