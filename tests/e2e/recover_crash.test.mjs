// kill -9 amid a recover: it goes on behind its last bite, and asks for each message once.
import test from 'node:test';
import assert from 'node:assert/strict';
import { dispatcher } from './lib/dispatcher.mjs';
import { failures } from './lib/failures.mjs';
import { receiver, verify } from './lib/receiver.mjs';
import { until } from './lib/wait.mjs';

const count = 20_000;
const kills = [0.1, 0.3, 0.5, 0.7]; // as much of it looked at

test(`a recover of ${count} messages survives ${kills.length} kills`, async t => {
    const d = await dispatcher(t);
    const r = await receiver(t);
    const { app, id, secret } = await d.endpoint(r.url);
    const { id: first } = await d.send(app, { n: 1 });
    await until(() => d.attempts(app, first), attempts => attempts.length === 1);
    await d.stop();
    failures(d, count);
    await d.start();

    const since = new Date(Date.now() - 12 * 3600_000).toISOString();
    const { id: task } = await d.must('POST', `/app/${app}/endpoint/${id}/recover`, { since });
    const progress = () => d.must('GET', `/background-task/${task}`);
    for (const share of kills) {
        const before = await until(progress, now => now.data.lookedAt >= share * count);
        assert.equal(before.status, 'running');
        await d.kill();
        await d.start();
        const after = await progress();
        assert.ok(after.data.lookedAt >= before.data.lookedAt, 'it goes on behind its last bite');
        assert.ok(after.data.reached >= before.data.reached);
    }
    const ended = await until(progress, now => now.status !== 'running');
    assert.equal(ended.status, 'finished');
    // The first, of which they are copies, has arrived.
    assert.deepEqual([ended.data.lookedAt, ended.data.deliveries], [count + 2, count]);

    await until(() => d.must('GET', '/status'), now => now.pending === 0, 50);
    const tries = new Map();
    for (let page = { done: false, iterator: null }; !page.done;) {
        const at = page.iterator ? `&iterator=${page.iterator}` : '';
        page = await d.must('GET', `/app/${app}/attempt/endpoint/${id}?limit=250&with_content=false${at}`);
        for (const { msgId, triggerType, status: came } of page.data)
            if (triggerType === 1) tries.set(msgId, [...tries.get(msgId) ?? [], came]);
    }
    assert.equal(tries.size, count, 'every message has its attempt by hand');
    assert.deepEqual([...tries].filter(([, came]) => came.length !== 1 || came[0] !== 0), []);

    const arrived = new Set(r.deliveries.map(delivery => delivery.headers['webhook-id']));
    assert.deepEqual([...tries.keys()].filter(message => !arrived.has(message)), []);
    for (const delivery of r.deliveries.slice(-100)) verify(secret, delivery);
    t.diagnostic(`${r.deliveries.length - 1 - count} deliveries were repeats`);
});
