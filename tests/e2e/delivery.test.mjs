// What becomes of a delivery, for each way a receiver can behave.
import test from 'node:test';
import assert from 'node:assert/strict';
import { dispatcher } from './lib/dispatcher.mjs';
import { receiver, socketReceiver, verify } from './lib/receiver.mjs';
import { until } from './lib/wait.mjs';

const oneRetry = ['--retry-schedule', '0'];
const ended = attempts => attempts.length > 0 && attempts.at(-1).nextAttempt == null &&
    attempts.every(a => a.status !== 1);

test('a message arrives with the exact bytes of its payload and a signature that others verify', async t => {
    const d = await dispatcher(t);
    const r = await receiver(t);
    const { app, secret } = await d.endpoint(r.url);
    const payload = '{"big":123456789012345678901234567890,"price": 1.10,"z":1,"a":"\\u0000\u2028é","z":2}';
    const message = await d.must('POST', `/app/${app}/msg`,
        `{"eventType":"order.paid","payload":  ${payload}  }`);
    await r.arrived(1);
    const [delivery] = r.deliveries;
    assert.equal(delivery.body.toString(), payload);
    assert.equal(delivery.headers['webhook-id'], message.id);
    assert.equal(delivery.headers['content-type'], 'application/json');
    verify(secret, delivery);
    assert.throws(() => verify(secret, { ...delivery, body: Buffer.from(payload + ' ') }));
});

for (const status of [200, 201, 202, 204, 299]) {
    test(`an answer of ${status} is a delivery`, async t => {
        const d = await dispatcher(t, { args: oneRetry });
        const r = await receiver(t, (_, response) => response.writeHead(status).end());
        const { app } = await d.endpoint(r.url);
        const message = await d.send(app, { ok: true });
        const attempts = await until(() => d.attempts(app, message.id), ended);
        assert.deepEqual(attempts.map(a => [a.status, a.responseStatusCode]), [[0, status]]);
    });
}

for (const status of [301, 400, 401, 404, 409, 422, 429, 500, 503, 504]) {
    test(`an answer of ${status} is tried again, with the same id and body`, async t => {
        const d = await dispatcher(t, { args: oneRetry });
        const r = await receiver(t, (delivery, response) =>
            response.writeHead(delivery.number === 1 ? status : 204, { location: '/elsewhere' }).end());
        const { app, secret } = await d.endpoint(r.url);
        const message = await d.send(app, { n: status });
        const attempts = await until(() => d.attempts(app, message.id),
            a => a.length === 2 && ended(a));
        assert.deepEqual(attempts.map(a => [a.status, a.responseStatusCode]), [[2, status], [0, 204]]);
        assert.deepEqual(r.deliveries.map(x => x.url), ['/hook', '/hook']);
        for (const delivery of r.deliveries) {
            assert.equal(delivery.headers['webhook-id'], message.id);
            assert.equal(delivery.body.toString(), `{"n":${status}}`);
            verify(secret, delivery);
        }
    });
}

test('what is said before the answer counts for nothing', async t => {
    const d = await dispatcher(t, { args: oneRetry });
    const r = await socketReceiver(t, socket =>
        socket.end('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n' +
            'HTTP/1.1 202 Accepted\r\ncontent-length: 5\r\n\r\nthere'));
    const { app } = await d.endpoint(r.url);
    const message = await d.send(app, {});
    const attempts = await until(() => d.attempts(app, message.id), ended);
    assert.deepEqual(attempts.map(a => [a.status, a.responseStatusCode, a.response]), [[0, 202, 'there']]);
});

test('an answer of 410 ends the delivery and disables the endpoint', async t => {
    const d = await dispatcher(t, { args: oneRetry });
    const r = await receiver(t, (_, response) => response.writeHead(410).end());
    const { app, id } = await d.endpoint(r.url);
    const message = await d.send(app, {});
    const attempts = await until(() => d.attempts(app, message.id), ended);
    assert.deepEqual(attempts.map(a => [a.status, a.responseStatusCode]), [[2, 410]]);
    await until(() => d.must('GET', `/app/${app}/endpoint/${id}`), endpoint => endpoint.disabled);
});

test('a delivery whose schedule ends is not tried again', async t => {
    const d = await dispatcher(t, { args: ['--retry-schedule', '0,0'] });
    const r = await receiver(t, (_, response) => response.writeHead(500).end('no'));
    const { app } = await d.endpoint(r.url);
    const message = await d.send(app, {});
    const attempts = await until(() => d.attempts(app, message.id), a => a.length === 3 && ended(a));
    assert.deepEqual(attempts.map(a => [a.status, a.response]), [[2, 'no'], [2, 'no'], [2, 'no']]);
});

const broken = {
    'resets the connection': socket => socket.resetAndDestroy(),
    'closes before it answers': socket => socket.end(),
    'closes behind a 103': socket => socket.end('HTTP/1.1 103 Early Hints\r\n\r\n'),
    'answers with what is not HTTP': socket => socket.end('hello\r\n\r\n'),
    'answers with an endless header': socket => {
        socket.write('HTTP/1.1 200 OK\r\n');
        const more = () => { while (socket.writable && socket.write(`x: ${'y'.repeat(1000)}\r\n`)); };
        socket.on('drain', more);
        more();
    },
};
for (const [name, talk] of Object.entries(broken)) {
    test(`a receiver that ${name} has failed, with the reason`, async t => {
        const d = await dispatcher(t, { args: oneRetry });
        const r = await socketReceiver(t, talk);
        const { app } = await d.endpoint(r.url);
        const message = await d.send(app, {});
        const [attempt] = await until(() => d.attempts(app, message.id), a => a.length > 0);
        assert.equal(attempt.status, 2);
        assert.equal(attempt.responseStatusCode, 0);
        assert.notEqual(attempt.response, '');
    });
}

test('an endless body is cut, and the answer counts by its status', async t => {
    const d = await dispatcher(t, { args: oneRetry });
    const r = await socketReceiver(t, socket => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
        const more = () => { while (socket.writable && socket.write(`3e8\r\n${'y'.repeat(1000)}\r\n`)); };
        socket.on('drain', more);
        more();
    });
    const { app } = await d.endpoint(r.url);
    const message = await d.send(app, {});
    const [attempt] = await until(() => d.attempts(app, message.id), a => a.length > 0);
    assert.deepEqual([attempt.status, attempt.responseStatusCode], [0, 200]);
    assert.ok(attempt.response.length <= 20_000);
});

for (const [name, talk] of Object.entries({
    'accepts and says nothing': () => {},
    'says that there will be an answer': socket => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'),
    'drips its header': socket => {
        socket.write('HTTP/1.1 200 OK\r\nx: ');
        const timer = setInterval(() => socket.write('y'), 50);
        socket.on('close', () => clearInterval(timer));
    },
})) {
    test(`a receiver that ${name} has timed out, and nobody else waits for it`, async t => {
        const d = await dispatcher(t, { args: oneRetry, env: { POSTHASTE_DELIVERY_TIMEOUT: '1' } });
        const slow = await socketReceiver(t, talk);
        const { app } = await d.endpoint(slow.url);
        const healthy = await receiver(t);
        await d.must('POST', `/app/${app}/endpoint`, { url: healthy.url });
        const message = await d.send(app, {});
        await healthy.arrived(1);
        const attempts = await until(() => d.attempts(app, message.id), a => a.length === 2);
        const late = attempts.find(a => a.url === slow.url);
        assert.deepEqual([late.status, late.responseStatusCode], [2, 0]);
        assert.match(late.response, /timed out/);
    });
}

for (const url of ['http://127.0.0.1:1/', 'http://[::1]:1/', 'http://10.1.2.3/', 'http://169.254.169.254/',
    'http://[::ffff:10.0.0.1]/', 'http://localhost:1/', 'http://0x7f.1:1/']) {
    test(`${url} is not public: an attempt says so, and no connection is made`, async t => {
        const d = await dispatcher(t, { args: oneRetry, subnet: '192.0.2.0/24' });
        const { app } = await d.endpoint(url);
        const message = await d.send(app, {});
        const [attempt] = await until(() => d.attempts(app, message.id), a => a.length > 0);
        assert.deepEqual([attempt.status, attempt.responseStatusCode], [2, 0]);
        assert.match(attempt.response, /not (a )?public/);
    });
}

test('a disabled endpoint gets nothing until it is enabled, and then everything', async t => {
    const d = await dispatcher(t);
    const r = await receiver(t);
    const { app, id } = await d.endpoint(r.url, { disabled: true });
    const sent = [];
    for (let n = 0; n < 10; n++) sent.push((await d.send(app, { n })).id);
    assert.equal(r.deliveries.length, 0);
    await d.must('PATCH', `/app/${app}/endpoint/${id}`, { disabled: false });
    await r.arrived(10);
    assert.deepEqual(new Set(r.deliveries.map(x => x.headers['webhook-id'])), new Set(sent));
});

test("an application's rate is kept over all its endpoints, until it is changed", async t => {
    const d = await dispatcher(t);
    const r = await receiver(t);
    const rate = 20, slackMs = 100, roundedMs = 10;
    const { app } = await d.endpoint(r.url);
    for (let n = 0; n < 2; n++) await d.must('POST', `/app/${app}/endpoint`, { url: r.url });
    await d.must('PATCH', `/app/${app}`, { throttleRate: rate });
    const sent = await Promise.all(Array.from({ length: 15 }, (_, n) => d.send(app, { n })));
    await r.arrived(45);

    // By the dispatcher's own clock: load makes attempts later, never denser. What has arrived may not be recorded yet.
    const recorded = ({ id }) => until(() => d.attempts(app, id), attempts => attempts.length === 3);
    const attempts = await Promise.all(sent.map(recorded));
    const at = attempts.flat().map(({ timestamp }) => Date.parse(timestamp)).sort((a, b) => a - b);
    assert.equal(at.length, 45);
    for (let i = 0; i < at.length; i++)
        for (let j = i + 1; j < at.length; j++)
            assert.ok(at[j] - at[i] >= (j - i) * 1000 / rate - slackMs - roundedMs, `${j - i} in ${at[j] - at[i]} ms`);

    // At a delivery a second these would take 20 minutes; without a rate they are there at once.
    await d.must('PATCH', `/app/${app}`, { throttleRate: 1 });
    for (let batch = 0; batch < 4; batch++)
        await Promise.all(Array.from({ length: 100 }, (_, n) => d.send(app, { n })));
    await d.must('PATCH', `/app/${app}`, { throttleRate: null });
    await r.arrived(45 + 1200);
});

test('custom headers go out on top', async t => {
    const d = await dispatcher(t);
    const r = await receiver(t);
    const { app, id } = await d.endpoint(r.url);
    await d.must('PUT', `/app/${app}/endpoint/${id}/headers`, { headers: { 'X-Shop': 'one', Authorization: 'Bearer x' } });
    await d.send(app, {});
    await r.arrived(1);
    assert.equal(r.deliveries[0].headers['x-shop'], 'one');
    assert.equal(r.deliveries[0].headers.authorization, 'Bearer x');

    // What isn't shown is kept by a change of another one, and gone when all are replaced.
    await d.must('PATCH', `/app/${app}/endpoint/${id}/headers`, { headers: { 'X-Shop': 'two' } });
    await d.send(app, {});
    await r.arrived(2);
    assert.equal(r.deliveries[1].headers['x-shop'], 'two');
    assert.equal(r.deliveries[1].headers.authorization, 'Bearer x');
    await d.must('PUT', `/app/${app}/endpoint/${id}/headers`, { headers: {} });
    await d.send(app, {});
    await r.arrived(3);
    assert.equal(r.deliveries[2].headers.authorization, undefined);
});

test('a graceful restart loses and repeats nothing', async t => {
    const d = await dispatcher(t);
    const r = await receiver(t);
    const { app } = await d.endpoint(r.url);
    const sent = [];
    for (let round = 0; round < 5; round++) {
        for (let n = 0; n < 20; n++) sent.push((await d.send(app, { round, n })).id);
        assert.equal(await d.stop(), 0);
        await d.start();
    }
    await r.arrived(sent.length);
    assert.deepEqual(r.deliveries.map(x => x.headers['webhook-id']).sort(), sent.sort());
});
