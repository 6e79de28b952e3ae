// Which region sends, and what another one does for the home: three regions of one jurisdiction, whose data is fra's.
import assert from 'node:assert/strict';
import { until } from '../e2e/lib/wait.mjs';
import { allAlive, every_ms } from './lib/peers.mjs';
import { wanTest } from './lib/stage.mjs';
import { round_trips_ms } from './lib/wan.mjs';

const world = {
    joined: true,
    region: () => ({ init: ['--jurisdiction', 'world'], env: { POSTHASTE_DELIVERY_TIMEOUT: '3' } }),
};
const places = { sin: { latitude: 1.35, longitude: 103.82 }, gru: { latitude: -23.55, longitude: -46.63 } };
const closing = [{ headers: { connection: 'close' } }];     // so that each delivery needs a connection

async function attemptsAt(region, app, id) {
    const { body } = await region.call('GET', `/app/${app}/attempt/msg/${id}`);
    return body.data.reverse();
}

function delivered(region, app, id) {
    return until(() => attemptsAt(region, app, id), attempts => attempts.at(-1)?.status === 0, every_ms);
}

async function application(region) {
    const { body } = await region.call('POST', '/app', { name: 'acme' });
    return body.id;
}

wanTest('auto sends from the region that is near, in its milliseconds', world, async stage => {
    const { fra, sin, gru } = stage;
    await allAlive(stage);
    const app = await application(fra);
    for (const near of [sin, gru]) {
        const receiver = await near.site.receiver({ answers: closing });
        const { body: endpoint } = await fra.call('POST', `/app/${app}/endpoint`,
            { url: receiver.url, location: places[near.name], channels: [near.name] });
        const { body: home } = await fra.call('POST', `/app/${app}/endpoint`,
            { url: receiver.url, dispatch: { mode: 'home' }, channels: [near.name] });
        for (let i = 0; i < 3; i++) {
            const { body: message } = await fra.call('POST', `/app/${app}/msg`,
                { eventType: 'a', payload: { i }, channels: [near.name] });
            const attempts = await until(() => attemptsAt(fra, app, message.id), all => all.length === 2, every_ms);
            const by = Object.fromEntries(attempts.map(attempt => [attempt.endpointId, attempt]));
            assert.equal(by[endpoint.id].region, near.name);
            assert.equal(by[home.id].region, 'fra');
            assert.ok(by[endpoint.id].timings.connectUs < 5_000, JSON.stringify(by[endpoint.id].timings));
            assert.ok(by[home.id].timings.connectUs >= 160_000, JSON.stringify(by[home.id].timings));
        }
    }
});

// A receiver at a site of its own beside sin, so that the way from there can be cut alone.
const shop = {
    ...world,
    sites: ['fra', 'iad', 'sin', 'gru', 'shop'],
    delays: { ...round_trips_ms, 'sin-shop': 2, 'fra-shop': 162, 'iad-shop': 222, 'gru-shop': 328 },
};

wanTest('a way that is cut from one region alone moves the delivery, and the endpoint is not failing', shop, async stage => {
    const { fra, wan } = stage;
    await allAlive(stage);
    const app = await application(fra);
    const receiver = await stage.site('shop').receiver({ answers: closing });
    await fra.must('POST', `/app/${app}/endpoint`, { url: receiver.url, location: places.sin });
    const send = async i => (await fra.must('POST', `/app/${app}/msg`, { eventType: 'a', payload: { i } })).id;
    assert.equal((await delivered(fra, app, await send(0))).at(-1).region, 'sin');
    await wan.cut('sin', 'shop');
    for (let i = 1; i <= 4; i++) {
        const attempts = await delivered(fra, app, await send(i));
        assert.ok(attempts.length <= 2, `delivered by attempt ${attempts.length}`);
        assert.notEqual(attempts.at(-1).region, 'sin');
        for (const { status, region, responseStatusCode } of attempts.slice(0, -1))
            assert.deepEqual([status, region, responseStatusCode], [2, 'sin', 0]);
    }
    assert.deepEqual((await fra.must('GET', '/status')).failing, []);
});

wanTest('what a region had to send when it was killed is sent from elsewhere, and rows are exact', world, async stage => {
    const { fra, iad, sin, gru } = stage;
    const count = 300;
    await allAlive(stage);
    const app = await application(fra);
    const receiver = await stage.site('sin').receiver({ answers: [{ ...closing[0], after_ms: 200 }] });
    await fra.must('POST', `/app/${app}/endpoint`, { url: receiver.url, location: places.sin });
    const ids = await Promise.all(Array.from({ length: count }, (_, i) =>
        fra.must('POST', `/app/${app}/msg`, { eventType: 'a', payload: { i } }).then(({ id }) => id)));
    await until(() => receiver.deliveries.length, arrived => arrived > 20, every_ms);
    await sin.kill();
    await until(() => fra.must('GET', '/status'), status => status.pending === 0, every_ms);
    const seen = new Set(receiver.deliveries.map(({ headers }) => headers['webhook-id']));
    assert.deepEqual(ids.filter(id => !seen.has(id)), []);
    assert.deepEqual(await fra.query('SELECT count(*), count(DISTINCT message_key), min(state), max(state) FROM deliveries'),
        [`${count}|${count}|1|1`]);
    for (const other of [iad, gru]) assert.deepEqual(await other.query('SELECT count(*) FROM deliveries'), ['0']);
    await sin.start();
});

wanTest('a payload that another region sends is in its memory at most', world, async stage => {
    const { fra, sin } = stage;
    await allAlive(stage);
    const app = await application(fra);
    const canary = await stage.canary({ stored: ['fra'], memory: ['fra', 'sin'] });
    const receiver = await stage.site('sin').receiver({ answers: closing });
    await fra.must('POST', `/app/${app}/endpoint`, { url: receiver.url, location: places.sin });
    const { id } = await fra.must('POST', `/app/${app}/msg`, { eventType: 'a', payload: { canary: canary.text } });
    assert.equal((await delivered(fra, app, id)).at(-1).region, 'sin');
});
