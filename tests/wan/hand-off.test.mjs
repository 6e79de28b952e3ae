// Deliveries that another region sends: from beside the receiver, by another way, and when that region dies.
import assert from 'node:assert/strict';
import { until } from '../e2e/lib/wait.mjs';
import { allAlive, every_ms, tenant } from './lib/peers.mjs';
import { median, wanTest } from './lib/stage.mjs';
import { regions, round_trips_ms } from './lib/wan.mjs';

const timeout_s = 2;        // of an attempt
const schedule_s = 10;      // until a failure that counts is made good
const places = {
    sin: { latitude: 1.35, longitude: 103.82 },
    gru: { latitude: -23.55, longitude: -46.63 },
};
const closing = [{ headers: { connection: 'close' } }];     // so that each delivery needs a connection
const residency = { jurisdiction: 'world', home: 'fra' };

// Regions that are all of one jurisdiction, so that each may send for the others.
const world = {
    joined: true,
    region: () => ({
        init: ['--jurisdiction', 'world'],
        env: { POSTHASTE_DELIVERY_TIMEOUT: String(timeout_s) },
        args: ['--retry-schedule', Array(10).fill(schedule_s).join(',')],
    }),
};

const post = (region, text, channels) =>
    region.must('POST', '/app/acme/msg', { eventType: 'order.paid', payload: { text }, channels });

// The attempts of a message for one endpoint, once it is delivered.
function delivered(region, { id }) {
    return until(() => region.attempts('acme', id), attempts => attempts.some(({ status }) => status === 0), every_ms);
}

for (const name of Object.keys(places))
    wanTest(`"auto" sends from ${name} to a receiver there, at a tenth of what a connection costs from home`, world, async (stage, t) => {
        const { fra } = stage;
        const { text } = await stage.canary({ stored: ['fra'], memory: ['fra', name] });
        const receivers = {}, connects = { auto: [], home: [] };
        for (const mode of Object.keys(connects)) receivers[mode] = await stage.site(name).receiver({ answers: closing });
        await allAlive(stage);
        const { endpoints } = await tenant(stage, 'acme', residency, Object.entries(receivers).map(([mode, { url }]) =>
            ({ url, location: places[name], dispatch: { mode }, channels: [mode] })));
        for (let i = 0; i < 9; i++)
            for (const [mode, sender, word] of [['auto', name, text], ['home', 'fra', 'for all to read']]) {
                const attempts = await delivered(stage.iad, await post(fra, word, [mode]));
                assert.deepEqual(attempts.map(({ region }) => region), [sender]);
                connects[mode].push(attempts[0].timings.connectUs / 1000);
            }
        for (const [i, receiver] of Object.values(receivers).entries()) receiver.verify(endpoints[i].secret);
        assert.ok(receivers.auto.deliveries.every(({ connection }) => connection.from === stage.site(name).address));
        const [near, far] = Object.values(connects).map(median);
        t.diagnostic(`connecting takes ${near.toFixed(1)} ms from ${name}, ${far.toFixed(1)} ms from fra`);
        assert.ok(near < 5 && far >= round_trips_ms[`fra-${name}`], `${near} and ${far} ms`);
    });

const bystander = {
    ...world,
    sites: [...regions, 'hkg'],
    delays: { ...round_trips_ms, 'sin-hkg': 4, 'fra-hkg': 166, 'iad-hkg': 226, 'gru-hkg': 332 },
};
const ended_ms = ({ timestamp, responseDurationMs }) => Date.parse(timestamp) + responseDurationMs;

wanTest('a way that is cut moves deliveries to another one at once, and the receiver isn\'t blamed', bystander, async (stage, t) => {
    const { fra, wan } = stage;
    const receiver = await stage.site('hkg').receiver({ answers: closing });
    await allAlive(stage);
    const { endpoints } = await tenant(stage, 'acme', residency, [{ url: receiver.url, location: places.sin }]);
    const attempts = async text => delivered(fra, await post(fra, text));
    assert.deepEqual((await attempts('before')).map(({ region }) => region), ['sin']);

    await wan.cut('sin', 'hkg');
    const during = await Promise.all(Array.from({ length: 10 }, (_, i) => attempts(`during ${i}`)));
    assert.ok(during.some(made => made[0].region === 'sin'));
    for (const made of during) {
        assert.notEqual(made.at(-1).region, 'sin');
        assert.ok(made.length <= 3, JSON.stringify(made));
        // One that counted would have waited for the schedule, and so many of them shut the lane.
        assert.ok(ended_ms(made.at(-1)) - Date.parse(made[0].timestamp) < (timeout_s + 3) * 1000, JSON.stringify(made));
    }
    const after = await attempts('after');
    assert.equal(after.length, 1);
    assert.notEqual(after[0].region, 'sin');
    const { failing } = await fra.must('GET', '/status');
    assert.deepEqual(failing, []);

    await wan.cut('hkg');
    const { id } = await post(fra, 'nowhere');
    const isBlamed = attempt => Date.parse(attempt.nextAttempt) - ended_ms(attempt) > schedule_s / 2 * 1000;
    const nowhere = await until(() => fra.attempts('acme', id), made => made.some(isBlamed), every_ms);
    assert.ok(new Set(nowhere.map(({ region }) => region)).size >= 2, JSON.stringify(nowhere));
    await wan.heal();
    receiver.verify(endpoints[0].secret);
    t.diagnostic(`${during.map(made => made.map(({ region }) => region).join('>')).join(' ')}, then ${after[0].region}; ` +
        `blamed after ${nowhere.map(({ region }) => region).join('>')}`);
});

wanTest('when the region that sends is killed in the midst of 500 deliveries, all of them arrive', world, async (stage, t) => {
    const { fra, sin } = stage;
    const count = 500;
    const receiver = await stage.site('sin').receiver({ answers: [{ after_ms: 100 }] });
    await allAlive(stage);
    const { endpoints } = await tenant(stage, 'acme', residency, [{ url: receiver.url, location: places.sin }]);
    const ids = (await Promise.all(Array.from({ length: count }, (_, i) => post(fra, `${i}`)))).map(({ id }) => id);
    await receiver.arrived(count / 5);
    await sin.kill();
    const fromSin = receiver.deliveries.length;
    await until(() => fra.outbox(), ({ delivered }) => delivered === count, every_ms);
    await sin.start();
    await allAlive(stage);

    const arrived = new Set(receiver.deliveries.map(({ headers }) => headers['webhook-id']));
    assert.deepEqual([...arrived].sort(), [...ids].sort());
    receiver.verify(endpoints[0].secret);
    assert.deepEqual(await fra.outbox(), { messages: count, deliveries: count, delivered: count });
    for (const name of ['iad', 'sin', 'gru'])
        assert.deepEqual(await stage[name].outbox(), { messages: 0, deliveries: 0, delivered: 0 }, name);
    t.diagnostic(`${fromSin} from sin before, ${receiver.deliveries.length - count} repeats`);
});
