// How regions see one another, by what they hear.
import assert from 'node:assert/strict';
import { until } from '../e2e/lib/wait.mjs';
import { all, allAlive, every_ms, sees, view } from './lib/peers.mjs';
import { wanTest } from './lib/stage.mjs';
import { regions, round_trips_ms } from './lib/wan.mjs';

const states = seen => Object.fromEntries(Object.entries(seen).map(([name, { state }]) => [name, state]));
const others = name => regions.filter(other => other !== name);

// Of several pings: some need a new connection, which takes longer and is no part of the path.
async function measures(region, name) {
    const expected = round_trips_ms[`${region.name}-${name}`] ?? round_trips_ms[`${name}-${region.name}`];
    for (let heard, pings = 0; pings < 3; pings++) {
        const seen = (await until(() => view(region), seen => seen[name].heardAt !== heard, every_ms))[name];
        const ms = seen.rttUs / 1000;
        assert.ok(ms >= expected && ms < expected + 60, `${region.name} to ${name}: ${ms} ms, not ${expected}`);
        assert.ok(Math.abs(seen.clockOffsetUs) < 60_000, `${name}'s clock is off by ${seen.clockOffsetUs} µs`);
        heard = seen.heardAt;
    }
}

wanTest('regions see each other alive, at the distance they have', { joined: true }, async stage => {
    await allAlive(stage);
    for (const region of stage.regions) assert.equal((await view(region))[region.name].state, 'self');
    await Promise.all(stage.regions.flatMap(region => others(region.name).map(name => measures(region, name))));
});

wanTest('a region that ends is dead for the others, and alive again when it is', { joined: true }, async stage => {
    await allAlive(stage);
    await stage.gru.kill();
    await Promise.all(['fra', 'iad', 'sin'].map(name => sees(stage[name], { gru: 'dead' })));
    assert.deepEqual(states(await view(stage.fra)), { fra: 'self', iad: 'alive', sin: 'alive', gru: 'dead' });
    await stage.gru.start();
    await allAlive(stage);
});

wanTest('a region that others still hear is suspect, not dead', { joined: true }, async stage => {
    await allAlive(stage);
    await stage.wan.cut('fra', 'sin');
    await Promise.all([sees(stage.fra, { sin: 'suspect' }), sees(stage.sin, { fra: 'suspect' })]);
    // For as long as it takes to be dead, were it so.
    await stage.wan.cut('gru');
    await Promise.all([sees(stage.iad, { gru: 'dead' }), sees(stage.fra, { gru: 'dead' })]);
    assert.deepEqual(states(await view(stage.fra)), { fra: 'self', iad: 'alive', sin: 'suspect', gru: 'dead' });
    await stage.wan.heal();
    await allAlive(stage);
});

wanTest('who hears nobody takes itself for the one that is cut off', { joined: true }, async stage => {
    await allAlive(stage);
    await stage.wan.cut('sin');
    await Promise.all(others('sin').map(name => sees(stage[name], { sin: 'dead' })));
    await sees(stage.sin, all(others('sin'), 'suspect'));
    await stage.wan.heal();
    await allAlive(stage);
});

wanTest('a clock that is off shows at the others', { joined: true, region: name => ({ clock: name === 'sin' ? '+90s' : undefined }) },
    async stage => {
        await until(() => view(stage.fra), ({ sin }) => sin.clockOffsetUs !== null && Math.abs(sin.clockOffsetUs - 90e6) < 5e6, every_ms);
        const { iad } = await until(() => view(stage.fra), ({ iad }) => iad.clockOffsetUs !== null, every_ms);
        assert.ok(Math.abs(iad.clockOffsetUs) < 5e6);
    });

wanTest('the others hear that a region drains, and that it takes work again', { joined: true }, async stage => {
    await allAlive(stage);
    await stage.iad.command('region', 'drain', 'iad');
    await Promise.all(others('iad').map(name => sees(stage[name], { iad: 'draining' })));
    await stage.iad.command('region', 'undrain', 'iad');
    await allAlive(stage);
});
