// A full disk: a small file system that belongs to this test, in a mount namespace of its own.
// Where the machine gives us none the test fails and says so; WITHOUT_NAMESPACES=1 leaves it out.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Dispatcher } from './lib/dispatcher.mjs';
import { receiver } from './lib/receiver.mjs';
import { until } from './lib/wait.mjs';

// How to get a namespace and how to join it: as anybody, and as root where user namespaces are refused.
const namespaces = [
    { enter: ['--user', '--map-root-user', '--mount'], join: ['--user', '--preserve-credentials', '--mount'] },
    { enter: ['--mount'], join: ['--mount'] },
];

// The first of them in which a file system may be mounted on `dir`.
function namespaceFor(dir) {
    const reasons = [];
    for (const namespace of namespaces) {
        const { status, stderr, error } = spawnSync('unshare',
            [...namespace.enter, 'mount', '-t', 'tmpfs', 'none', dir], { encoding: 'utf8' });
        if (status === 0) return namespace;
        reasons.push(`unshare ${namespace.enter.join(' ')}: ${(error?.message ?? stderr).trim()}`);
    }
    return assert.fail(`no mount namespace for a small disk:\n  ${reasons.join('\n  ')}\n` +
        'Allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone; in a container\n' +
        '--privileged), or set WITHOUT_NAMESPACES=1 to leave this test out.');
}

const skip = process.env.WITHOUT_NAMESPACES ? 'WITHOUT_NAMESPACES is set' : false;
test('a full disk is a 503, loses nothing acknowledged, and passes when there is room again', { skip }, async t => {
    const d = new Dispatcher();
    t.after(async () => {
        if (d.process) await d.stop();
        d.remove();
    });
    const data = join(d.dir, 'data');
    mkdirSync(data);
    const namespace = namespaceFor(data);
    d.wrapper = ['unshare', ...namespace.enter, 'sh', '-c',
        `mount -t tmpfs -o size=8m none '${data}' && exec "$@"`, 'sh'];
    await d.start();

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
    // With source and type, mount adds no options of its own: /proc shows a uid that isn't one in there.
    execFileSync('nsenter', ['--target', d.process.pid, ...namespace.join, '--root',
        'mount', '-t', 'tmpfs', '-o', 'remount,size=64m', 'none', data]);
    const again = await until(() => d.call('POST', `/app/${app}/msg`, { eventType: 'order.paid', payload }),
        x => x.status === 202);
    acknowledged.push(again.body.id);
    const { data: listed } = await d.must('GET', `/app/${app}/msg?limit=250&with_content=false`);
    const stored = new Set(listed.map(m => m.id));
    assert.deepEqual(acknowledged.filter(id => !stored.has(id)), []);
    await r.arrived(() => stored.has(again.body.id) &&
        r.deliveries.some(x => x.headers['webhook-id'] === again.body.id));
});
