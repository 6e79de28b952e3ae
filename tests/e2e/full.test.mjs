// A full disk: a small file system that belongs to this test, in a mount namespace of its own.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Dispatcher } from './lib/dispatcher.mjs';
import { receiver } from './lib/receiver.mjs';
import { until } from './lib/wait.mjs';

test('a full disk is a 503, loses nothing acknowledged, and passes when there is room again', async t => {
    const d = new Dispatcher();
    const data = join(d.dir, 'data');
    mkdirSync(data);
    d.wrapper = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c',
        `mount -t tmpfs -o size=8m none '${data}' && exec "$@"`, 'sh'];
    await d.start();
    t.after(async () => {
        await d.stop();
        d.remove();
    });
    let refuse = true;
    const r = await receiver(t, (_, response) => response.writeHead(refuse ? 503 : 204).end());
    const { app } = await d.endpoint(r.url);

    const acknowledged = [];
    const payload = { filler: 'x'.repeat(50_000) };
    let answer;
    do {
        answer = await d.call('POST', `/app/${app}/msg`, { eventType: 'order.paid', payload });
        if (answer.status === 202) acknowledged.push(answer.body.id);
    } while (answer.status === 202);
    assert.equal(answer.status, 503);
    assert.equal(answer.body.code, 'disk_full');
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    assert.ok(acknowledged.length > 20);
    assert.equal((await d.call('GET', '/health')).status < 300, true);

    refuse = false;
    execFileSync('nsenter', ['--target', d.process.pid, '--user', '--preserve-credentials', '--mount',
        'mount', '-o', 'remount,size=64m', data]);
    const again = await until(() => d.call('POST', `/app/${app}/msg`, { eventType: 'order.paid', payload }),
        x => x.status === 202);
    acknowledged.push(again.body.id);
    const { data: listed } = await d.must('GET', `/app/${app}/msg?limit=250&with_content=false`);
    const stored = new Set(listed.map(m => m.id));
    assert.deepEqual(acknowledged.filter(id => !stored.has(id)), []);
    await r.arrived(() => stored.has(again.body.id) &&
        r.deliveries.some(x => x.headers['webhook-id'] === again.body.id));
});
