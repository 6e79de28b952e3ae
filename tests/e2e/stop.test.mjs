// How a dispatcher ends when it is asked to.
import test from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { dispatcher } from './lib/dispatcher.mjs';
import { receiver } from './lib/receiver.mjs';
import { until } from './lib/wait.mjs';

const delivered = attempts => attempts.some(a => a.status === 0);

test('receivers that hang delay the end by less than ten seconds, and get their deliveries later', async t => {
    const d = await dispatcher(t);
    let hangs = true;
    const r = await receiver(t, (_, response) => hangs || response.writeHead(204).end());
    const endpoints = await Promise.all(Array.from({ length: 5 }, () => d.endpoint(r.url)));
    const messages = await Promise.all(endpoints.map(({ app }) => d.send(app, {})));
    await r.arrived(5);
    const asked = Date.now();
    assert.equal(await d.stop(), 0);
    assert.ok(Date.now() - asked < 10_000);
    hangs = false;
    await d.start();
    for (const [i, { app }] of endpoints.entries()) {
        const attempts = await until(() => d.attempts(app, messages[i].id), delivered);
        assert.equal(attempts.length, 1);
    }
});

test('an answer that comes while stopping is recorded, and its message not sent again', async t => {
    const d = await dispatcher(t);
    let answer;
    const r = await receiver(t, (_, response) => { answer = () => response.writeHead(204).end(); });
    const { app } = await d.endpoint(r.url);
    const message = await d.send(app, {});
    await r.arrived(1);
    const stopping = d.logged('stopping');
    const stopped = d.stop();
    await stopping;
    answer();
    assert.equal(await stopped, 0);
    await d.start();
    const attempts = await d.attempts(app, message.id);
    assert.deepEqual(attempts.map(a => [a.status, a.responseStatusCode]), [[0, 204]]);
    assert.equal(r.deliveries.length, 1);
});

test('a 410 that comes when the API is gone already still disables its endpoint', async t => {
    const d = await dispatcher(t);
    let answer;
    const r = await receiver(t, (_, response) => { answer = () => response.writeHead(410).end(); });
    const { app, id } = await d.endpoint(r.url);
    await d.send(app, {});
    await r.arrived(1);
    const stopped = d.stop();
    await until(() => fetch(`${d.url}/api/v1/health`).catch(() => 'gone'), x => x === 'gone');
    answer();
    assert.equal(await stopped, 0);
    await d.start();
    assert.equal((await d.must('GET', `/app/${app}/endpoint/${id}`)).disabled, true);
});

test('a second signal ends it at once, and the next start delivers', async t => {
    const d = await dispatcher(t);
    let hangs = true;
    const r = await receiver(t, (_, response) => hangs || response.writeHead(204).end());
    const { app } = await d.endpoint(r.url);
    const message = await d.send(app, {});
    await r.arrived(1);
    const stopping = d.logged('stopping');
    d.process.kill('SIGTERM');
    await stopping;
    const asked = Date.now();
    const exit = once(d.process, 'exit');
    d.process.kill('SIGINT');
    assert.deepEqual(await exit, [1, null]);
    assert.ok(Date.now() - asked < 1000);
    hangs = false;
    await d.start();
    await until(() => d.attempts(app, message.id), delivered);
});

test('a client that never finishes its request doesn\'t hold the end up', async t => {
    const d = await dispatcher(t);
    const socket = connect(d.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => {});
    socket.write('POST /api/v1/app HTTP/1.1\r\nHost: x\r\nContent-Le');
    const asked = Date.now();
    assert.equal(await d.stop(), 0);
    assert.ok(Date.now() - asked < 10_000);
    socket.destroy();
});
