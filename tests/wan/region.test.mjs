// Four regions that don't know each other yet, each at its site: what the harness promises of them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../e2e/lib/wait.mjs';
import { median, onStage, wanTest } from './lib/stage.mjs';
import { regions } from './lib/wan.mjs';

const every_ms = 20;
const ended = attempts => attempts.length > 0 && attempts.at(-1).nextAttempt == null && attempts.every(a => a.status !== 1);

wanTest('each region serves callers at every site, a round trip away', {}, async stage => {
    for (const { name } of stage.regions) {
        const app = await stage[name].must('POST', '/app', { name: `Shop in ${name}`, uid: 'shop' });
        const seen = await Promise.all(regions.map(caller => stage[name].from(caller).must('GET', '/app/shop')));
        for (const { id } of seen) assert.equal(id, app.id);
    }
    const times = [];
    for (let i = 0; i < 9; i++) times.push((await stage.site('iad').fetch(`${stage.fra.url}/api/v1/health`)).ms);
    const ms = median(times);
    assert.ok(ms >= 92 && ms < 120, `${ms} ms`);
});

wanTest('a delivery from Frankfurt to Singapore arrives, signed, and its duration is recorded',
    { regions: ['fra'] }, async stage => {
        const { fra } = stage;
        const canary = await stage.canary({ stored: ['fra'], clear: ['fra>sin'] });
        const sin = await stage.site('sin').receiver();
        const { app, secret } = await fra.endpoint(sin.url);
        const durations = [];
        for (let i = 1; i <= 2; i++) {
            const message = await fra.send(app, { text: canary.text, number: i });
            await sin.arrived(i);
            const [attempt] = await until(() => fra.attempts(app, message.id), ended, every_ms);
            assert.equal(attempt.responseStatusCode, 204);
            durations.push(attempt.responseDurationMs);
        }
        sin.verify(secret);
        assert.deepEqual(sin.deliveries.map(({ body }) => JSON.parse(body).number), [1, 2]);
        assert.deepEqual(sin.deliveries.map(({ connection }) => connection),
            [1, 2].map(request => ({ number: 1, request, from: fra.site.address })));
        // A connection is a round trip of its own, so the second delivery saves one.
        assert.ok(durations[0] >= 2 * 162 && durations[0] < 2 * 162 + 150, `${durations[0]} ms`);
        assert.ok(durations[1] >= 162 && durations[1] < 2 * 162, `${durations[1]} ms`);
        const seen = (await stage.wan.hits()).filter(({ pattern }) => canary.patterns.get(pattern) === 'raw');
        assert.deepEqual(seen.map(({ direction }) => direction), ['fra>sin']);
    });

wanTest('a cut between a region and a receiver delays the delivery until the heal',
    { regions: ['fra'], region: () => ({ args: ['--retry-schedule', '1,1,1,1,1'] }) }, async stage => {
        const { fra, wan } = stage;
        const sin = await stage.site('sin').receiver();
        const { app, secret } = await fra.endpoint(sin.url);
        await wan.cut('fra', 'sin');
        const message = await fra.send(app, {});
        await until(() => wan.show(), paths => paths['fra>sin'].dropped > 0, every_ms);
        assert.equal(sin.deliveries.length, 0);
        await wan.heal();
        await sin.arrived(1);
        sin.verify(secret);
        await until(() => fra.attempts(app, message.id), ended, every_ms);
    });

wanTest('a skewed clock shows in what that region answers, and nowhere else',
    { regions: ['fra', 'sin'], region: name => ({ clock: name === 'sin' ? '+90s' : undefined }) }, async stage => {
        const offset = async region => {
            const before = Date.now();
            const { createdAt } = await region.must('POST', '/app', { name: 'Now' });
            return new Date(createdAt) - before;
        };
        assert.ok(Math.abs(await offset(stage.fra)) < 5000);
        assert.ok(Math.abs(await offset(stage.sin) - 90_000) < 5000);
        stage.sin.setClock('+300s');
        await until(() => offset(stage.sin), ms => Math.abs(ms - 300_000) < 5000, every_ms);
        assert.ok(Math.abs(await offset(stage.fra)) < 5000);
    });

wanTest('kill -9 and a start lose nothing that was acknowledged an ocean away',
    { regions: ['fra'], region: () => ({ args: ['--retry-schedule', '1,1,1,1,1,1,1,1'] }) }, async (stage, t) => {
        const { fra } = stage;
        const sin = await stage.site('sin').receiver();
        const { app, secret } = await fra.endpoint(sin.url);
        const acknowledged = new Set();
        let number = 0, up = Promise.resolve(), stop = false;
        const produce = async () => {
            while (!stop) {
                const key = `k${number++}`;
                for (let answered = false; !answered && !stop;) {
                    try {
                        const { status, body } = await fra.from('iad').call('POST', `/app/${app}/msg`,
                            { eventType: 'order.paid', payload: { key } }, { 'idempotency-key': key });
                        answered = status === 202;
                        if (answered) acknowledged.add(body.id);
                    } catch {
                        await up;       // nobody listens between a kill and the next start: the same key again
                    }
                }
            }
        };
        const producers = Array.from({ length: 16 }, produce);
        for (let kills = 1; kills <= 3; kills++) {
            await until(() => acknowledged.size, size => size >= 100 * kills, every_ms);
            up = fra.kill().then(() => fra.start());
            await up;
        }
        stop = true;
        await Promise.all(producers);
        const arrived = () => new Set(sin.deliveries.map(({ headers }) => headers['webhook-id']));
        await sin.arrived(() => {
            const ids = arrived();
            return [...acknowledged].every(id => ids.has(id));
        });
        sin.verify(secret);
        assert.equal(new Set(sin.deliveries.map(({ body }) => body.toString())).size, arrived().size);
        t.diagnostic(`${acknowledged.size} acknowledged, ${sin.deliveries.length} deliveries`);
    });

wanTest('commands run where their region is', {}, async stage => {
    await Promise.all(stage.regions.map(region => region.command('app', 'create', '--name', region.name, '--uid', 'shop')));
    for (const region of stage.regions)
        assert.match(await region.command('app', 'get', 'shop'), new RegExp(`\\b${region.name}\\b`));
    await assert.rejects(stage.fra.command('app', 'get', 'nobody'), /posthaste app get nobody: \d/);
});

test('a region that ends unasked ends its test', async () => {
    await assert.rejects(onStage({ regions: ['fra', 'sin'] }, stage => {
        process.kill(stage.sin.process.pid, 'SIGKILL');
        return new Promise(() => {});
    }), /^Error: sin ended unasked: SIGKILL/);
});

test('a test that takes too long ends', async () => {
    await assert.rejects(onStage({ regions: [], limit_ms: 500 }, () => new Promise(() => {})), /not done within 500 ms/);
});
