// Why a region sends: told at every site, and made again from what was recorded.
import assert from 'node:assert/strict';
import { until } from '../e2e/lib/wait.mjs';
import { allAlive, arrives, every_ms } from './lib/peers.mjs';
import { wanTest } from './lib/stage.mjs';
import { round_trips_ms } from './lib/wan.mjs';

const singapore = { latitude: 1.35, longitude: 103.82 };
const closing = [{ headers: { connection: 'close' } }];     // so that each delivery needs a connection

// Regions of one jurisdiction, and a receiver at a site of its own beside sin.
const shop = {
    joined: true,
    region: () => ({ init: ['--jurisdiction', 'world'], env: { POSTHASTE_DELIVERY_TIMEOUT: '3' } }),
    sites: ['fra', 'iad', 'sin', 'gru', 'shop'],
    delays: { ...round_trips_ms, 'sin-shop': 2, 'fra-shop': 162, 'iad-shop': 222, 'gru-shop': 328 },
};

// An endpoint there, known in all regions; `send` resolves when it was delivered.
async function sell(stage, place = { location: singapore }) {
    const { fra, regions } = stage;
    await allAlive(stage);
    const receiver = await stage.site('shop').receiver({ answers: closing });
    await fra.must('POST', '/app', { name: 'acme', uid: 'acme' });
    await fra.must('POST', '/app/acme/endpoint', { url: receiver.url, uid: 'in', ...place });
    await Promise.all(regions.map(region => arrives(region, '/app/acme/endpoint/in')));
    return async eventId => {
        await fra.must('POST', '/app/acme/msg', { eventType: 'a', eventId, payload: {} });
        await until(() => fra.must('GET', `/app/acme/attempt/msg/${eventId}`),
            ({ data }) => data.some(({ status }) => status === 0), every_ms);
    };
}

const explain = async (region, body) => (await region.must('POST', '/route/explain', { appId: 'acme', ...body })).data;

// Each decision that a region has recorded, as the API makes it again.
async function remade(region) {
    return Promise.all((await region.decisions()).map(async recorded => (await explain(region, { recorded }))[0]));
}

wanTest('why a message was sent from afar is told at every site, and comes out the same', shop, async stage => {
    const { fra, gru, regions } = stage;
    const send = await sell(stage);
    await send('one');
    for (const region of regions) {
        const [{ text, decision, recorded, sentFrom }] = await explain(region, { messageId: 'one' });
        assert.match(text, /^application acme \(world, home fra\)/);
        assert.equal(decision.region, 'sin', text);
        assert.equal(sentFrom, 'sin');
        assert.deepEqual([recorded.region, recorded.match], ['sin', true]);
    }
    const [{ decision: without }] = await explain(gru, { endpointId: 'in', whatIf: 'region=sin:down' });
    assert.notEqual(without.region, 'sin');
    const printed = await gru.command('route', 'explain', '--app', 'acme', '--message', 'one');
    assert.match(printed, /\n → sin\.\n recorded 20\S* → sin: MATCH\n$/);
    assert.deepEqual((await remade(fra)).map(({ recorded }) => recorded.match), [true]);
});

wanTest('what is measured replaces what was estimated', shop, async stage => {
    const send = await sell(stage);
    const of = async () => (await explain(stage.fra, { endpointId: 'in' }))[0].decision.costs.sin;
    assert.equal((await of()).rttSource, 'geo');
    for (let i = 0; i < 20; i++) await send(`m-${i}`);
    const { rttSource, rttUs, firstByteMeasured, coldPermille } = await of();
    assert.equal(rttSource, 'delivery');
    assert.ok(rttUs >= 2_000 && rttUs < 30_000, `${rttUs}`);
    assert.equal(firstByteMeasured, true);
    assert.equal(coldPermille, 1000);
});

wanTest('a way that nobody has taken is probed when it could win', shop, async stage => {
    const { fra } = stage;
    const send = await sell(stage, {});     // nobody says where it is
    const costs = async () => (await explain(fra, { endpointId: 'in' }))[0].decision.costs;
    await send('first');
    assert.equal((await costs()).fra.rttSource, 'delivery');
    let sent = 0;       // a decision is made when there is something to send
    const { sin } = await until(async () => (await send(`then-${sent++}`), costs()),
        ({ sin }) => sin.rttSource === 'probe', every_ms);
    assert.ok(sin.rttUs >= 2_000 && sin.rttUs < 30_000, `${sin.rttUs}`);
    const [{ decision, text }] = await explain(fra, { endpointId: 'in' });
    assert.equal(decision.region, 'fra', text);     // a route isn't left so soon
    assert.ok(decision.costs.sin.totalUs < decision.costs.fra.totalUs, text);
});

wanTest('a way that is cut moves the route, each decision is recorded, and all come out the same', shop, async stage => {
    const { fra, wan } = stage;
    const send = await sell(stage);
    await send('before');
    await wan.cut('sin', 'shop');
    await send('detour');
    const [{ decision, sentFrom, text }] = await explain(fra, { messageId: 'detour' });
    assert.equal(decision.region, 'sin');
    assert.notEqual(sentFrom, 'sin');
    assert.match(text, new RegExp(` sent from ${sentFrom} all the same: sin was out of reach just then\n$`));
    for (let i = 0; i < 2; i++) await send(`more-${i}`);    // three failures in a row open the circuit
    await send('after');
    const [after] = await explain(fra, { messageId: 'after' });
    assert.equal(after.decision.hysteresis, 'left');
    assert.equal(after.decision.excluded.sin, 'it failed to reach the receiver');
    assert.equal(after.decision.region, after.sentFrom);
    assert.deepEqual((await remade(fra)).map(({ recorded }) => [recorded.region, recorded.match]),
        [['sin', true], [after.sentFrom, true]]);
});
