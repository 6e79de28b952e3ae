// An application's tokens, wherever they are made, shown and ended.
import assert from 'node:assert/strict';
import { until } from '../e2e/lib/wait.mjs';
import { allAlive, every_ms, tenant } from './lib/peers.mjs';
import { wanTest } from './lib/stage.mjs';

const within_ms = 1000;

const showing = token => ({ authorization: `Bearer ${token}` });
const look = (region, token) => region.call('GET', '/app/acme', undefined, showing(token));
const open = (region, body) => region.must('POST', '/auth/app-portal-access/acme', body);

// Until a region refuses the token; how long that took since then.
async function refuses(region, token, since) {
    await until(() => look(region, token), ({ status }) => status === 401, every_ms);
    return performance.now() - since;
}

wanTest('a token that ends in one region is refused in every other within a second', { joined: true }, async (stage, t) => {
    const { fra, iad, sin, gru, regions } = stage;
    await allAlive(stage);
    await tenant(stage, 'acme', { jurisdiction: 'eu', home: 'fra' });
    const ended = async (token, end) => {
        for (const region of regions) assert.equal((await look(region, token)).status, 200, region.name);
        await end();
        const since = performance.now();
        const took = await Promise.all(regions.map(async region => [region.name, await refuses(region, token, since)]));
        t.diagnostic(`refused after ${took.map(([name, ms]) => `${ms.toFixed(0)} ms in ${name}`).join(', ')}`);
        for (const [name, ms] of took) assert.ok(ms < within_ms, `${ms} ms in ${name}`);
    };

    const { url, token } = await open(sin);     // made at the home, whose link it is
    assert.equal(url, `${fra.url}#token=${token}`);
    await ended(token, () => gru.must('POST', '/auth/app/acme/expire-all'));
    const next = await open(gru);
    await ended(next.token, () => iad.must('POST', '/auth/logout', undefined, showing(next.token)));
    const ada = await open(iad, { sessionId: 'ada' });
    const bob = await open(iad, { sessionId: 'bob' });
    await ended(ada.token, () => sin.must('POST', '/auth/app/acme/expire-all', { sessionIds: ['ada'] }));
    for (const region of regions) assert.equal((await look(region, bob.token)).status, 200, region.name);
});

wanTest('a region that is cut off refuses an ended token as soon as it hears of it', { joined: true }, async stage => {
    const { fra, sin, wan } = stage;
    await allAlive(stage);
    await tenant(stage, 'acme', { jurisdiction: 'eu', home: 'fra' });
    const { token } = await open(fra);
    await wan.cut('sin');
    await fra.must('POST', '/auth/app/acme/expire-all');
    assert.equal((await look(fra, token)).status, 401);
    assert.equal((await look(sin, token)).status, 200);
    await wan.heal();
    await refuses(sin, token, performance.now());
});
