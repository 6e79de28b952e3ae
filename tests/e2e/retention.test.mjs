// What is too old goes, and is in no file any more: a real process, whose clock is another after each start.
import test from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dispatcher } from './lib/dispatcher.mjs';
import { clockedBy, setClockFile } from './lib/faketime.mjs';
import { receiver } from './lib/receiver.mjs';
import { until } from './lib/wait.mjs';

const hour = 3600;
const day = 24 * hour;

// Which of these are in a file of the outbox, or in its log.
function found(d, canaries) {
    const files = ['regional.db', 'regional.db-wal', 'global.db', 'global.db-wal'].map(name => join(d.dir, 'data', name))
        .filter(path => existsSync(path)).map(path => readFileSync(path, 'latin1'));
    return canaries.filter(canary => files.some(text => text.includes(canary)));
}

// The log is cut to nothing behind the commit that a reader may see already.
function gone(d, canaries) {
    return until(() => found(d, canaries), left => left.length === 0);
}

// The same region so many seconds later, when it has done what was to be done.
async function later(d, seconds) {
    const clock = join(d.base, 'clock');
    assert.equal(await d.stop(), 0);
    setClockFile(clock, `+${seconds}s`);
    d.wrapper = clockedBy(clock);
    await d.start();
    const now = Date.now() + seconds * 1000;
    const { retention } = await until(() => d.must('GET', '/status'),
        status => status.retention.nextAt === null || Date.parse(status.retention.nextAt) > now);
    return retention;
}

test('what is too old is in no file, and the rest is there', async t => {
    const d = await dispatcher(t, { args: ['--retry-schedule', '36000'] });
    d.token = d.run('token', 'create', '--config', d.config, '--expires', '1000d').trim();
    const r = await receiver(t, (_, response) => response.writeHead(500).end('canary-response'));
    const { app, id } = await d.endpoint(r.url);
    const small = await d.send(app, { x: 'canary-small' }, { payloadRetentionHours: 1, tags: ['canary-tag'] });
    const large = await d.send(app, { x: 'canary-large '.repeat(40_000) }, { payloadRetentionHours: 1 });
    const kept = await d.send(app, { x: 'canary-kept' });
    await r.arrived(3);
    await until(() => d.attempts(app, kept.id), attempts => attempts.length === 1);
    const payloads = ['canary-small', 'canary-large'], others = ['canary-kept', 'canary-tag', 'canary-response'];
    assert.deepEqual(found(d, [...payloads, ...others]), [...payloads, ...others]);

    let retention = await later(d, hour + 60);
    assert.equal(retention.payloadsRemoved, 2);
    assert.equal(retention.messagesRemoved, 0);
    await gone(d, payloads);
    assert.deepEqual(found(d, others), others);
    for (const { id: message } of [small, large]) {
        assert.deepEqual((await d.must('GET', `/app/${app}/msg/${message}`)).payload, { expired: true });
        assert.equal((await d.call('POST', `/app/${app}/msg/${message}/endpoint/${id}/resend`)).status, 400);
    }
    assert.equal((await d.must('GET', `/app/${app}/msg/${kept.id}`)).payload.x, 'canary-kept');
    assert.equal((await d.must('GET', '/status')).pending, 1);

    retention = await later(d, 91 * day);
    assert.equal(retention.messagesRemoved, 3);
    assert.ok(retention.attemptsRemoved >= 3);
    await gone(d, [...payloads, ...others]);
    assert.deepEqual((await d.must('GET', `/app/${app}/msg`)).data, []);
    const { messages, attempts, pending } = await d.must('GET', '/status');
    assert.deepEqual({ messages, attempts, pending }, { messages: 0, attempts: 0, pending: 0 });
});
