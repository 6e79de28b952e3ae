// Where a tenant's messages may be, and what becomes of them while their home is away.
import assert from 'node:assert/strict';
import { until } from '../e2e/lib/wait.mjs';
import { allAlive, every_ms, sees, tenant } from './lib/peers.mjs';
import { wanTest } from './lib/stage.mjs';
import { round_trips_ms } from './lib/wan.mjs';

const abroad = ['iad', 'sin', 'gru'];
const message = payload => ({ eventType: 'order.paid', payload });
const sent = attempts => attempts.data.some(({ status }) => status === 0);

// The count of what a tenant's senders brought to the wrong region.
async function misdirected(region, app) {
    const { misdirected } = await region.must('GET', '/status');
    return misdirected.find(({ appId }) => appId === app)?.requests ?? 0;
}

// What its client sent without waiting to be asked is wiped.
wanTest('who brings a message for a tenant under "processing" to the wrong region is sent home before its body is read',
    { joined: true }, async stage => {
        const { fra } = stage;
        const { text } = await stage.canary({ stored: ['fra'], memory: ['fra'] });
        const receiver = await stage.site('fra').receiver();
        await allAlive(stage);
        const { id } = await tenant(stage, 'acme', { jurisdiction: 'eu', home: 'fra', mode: 'processing' }, [{ url: receiver.url }]);
        for (const name of abroad)
            for (const [i, how] of [{ expect: '100-continue' }, {}].entries()) {
                const asked = await stage[name].call('POST', '/app/acme/msg', message({ text }), how);
                assert.equal(asked.status, 307);
                assert.equal(asked.body.code, 'urn:posthaste:residency-redirect');
                assert.equal(asked.headers.get('location'), `${fra.url}/api/v1/app/acme/msg`);
                assert.equal(await misdirected(stage[name], id), i + 1);
            }
        const accepted = await fra.must('POST', '/app/acme/msg', message({ text }));
        await receiver.arrived(1);
        await until(() => fra.must('GET', `/app/acme/attempt/msg/${accepted.id}`), sent, every_ms);
    });

// Posts at each of these regions until one answer satisfies; that one, with the milliseconds since then beside.
function answers(stage, names, app, satisfied, since) {
    return Promise.all(names.map(async name => {
        const post = () => stage[name].call('POST', `/app/${app}/msg`, message({}));
        const answer = await until(post, satisfied, every_ms);
        return { ...answer, name, ms: performance.now() - since };
    }));
}

const isHeld = ({ body }) => body.code === 'urn:posthaste:residency-hold';
const times = answers => answers.map(({ name, ms }) => `${ms.toFixed(0)} ms at ${name}`).join(', ');

// Who is killed is missed at once, who is cut off after three pings and the time that each may take.
for (const [what, strike, mend, within_ms] of [
    ['is killed', ({ fra }) => fra.kill(), ({ fra }) => fra.start(), 3000],
    ['is cut off', ({ wan }) => wan.cut('fra'), ({ wan }) => wan.heal(), 10_000],
]) {
    wanTest(`while the home ${what} its messages are held within ${within_ms} ms, and afterwards taken in`, { joined: true }, async (stage, t) => {
        const { text } = await stage.canary({ stored: ['fra'] });
        const receiver = await stage.site('gru').receiver();
        await allAlive(stage);
        await tenant(stage, 'acme', { jurisdiction: 'eu', home: 'fra' }, [{ url: receiver.url }]);
        await strike(stage);
        const held = await answers(stage, abroad, 'acme', isHeld, performance.now());
        t.diagnostic(`held after ${times(held)}`);
        for (const { status, headers, ms, name } of held) {
            assert.equal(status, 503);
            assert.ok(Number(headers.get('retry-after')) > 0);
            assert.equal(headers.get('posthaste-home-region'), 'fra');
            assert.ok(ms < within_ms, `${ms} ms at ${name}`);
            assert.equal((await stage[name].call('POST', '/app/acme/msg', message({ text }))).status, 503);
        }
        await mend(stage);
        await answers(stage, abroad, 'acme', ({ status }) => status === 202);
        await receiver.arrived(abroad.length);
    });
}

// Its state is `suspect`, not `dead`, for the others reach it: nobody may stand in, and no answer comes from here.
wanTest('a request to a region that only others reach is held, and not left waiting', { joined: true }, async stage => {
    await allAlive(stage);
    await tenant(stage, 'acme', { jurisdiction: 'eu', home: 'fra' });
    await stage.wan.cut('fra', 'sin');
    for (const when of ['while it is noticed', 'afterwards']) {
        const began = performance.now();
        const asked = await stage.sin.call('GET', '/app/acme/msg');
        assert.ok(isHeld(asked), `${when}: ${asked.status} ${JSON.stringify(asked.body)}`);
        assert.ok(performance.now() - began < 10_000, `${when}: ${performance.now() - began} ms`);
        await sees(stage.sin, { fra: 'suspect' });
    }
    assert.equal((await stage.iad.call('GET', '/app/acme/msg')).status, 200);
});

const american = { region: name => ({ init: name === 'gru' ? ['--jurisdiction', 'us'] : [] }), joined: true };

wanTest('another region of the jurisdiction stands in for the home, and nobody outside of it', american, async (stage, t) => {
    const { text } = await stage.canary({ stored: ['iad', 'gru'], clear: ['gru>sin'] });
    const receiver = await stage.site('sin').receiver();
    const residency = { jurisdiction: 'us', home: 'iad', failover: 'jurisdiction' };
    await allAlive(stage);
    await tenant(stage, 'acme', residency, [{ url: receiver.url }]);
    await tenant(stage, 'discreet', { ...residency, mode: 'processing' });
    await tenant(stage, 'patient', { ...residency, failover: 'none' });
    await stage.iad.kill();

    const taken = await answers(stage, ['fra', 'sin', 'gru'], 'acme', ({ status }) => status === 202, performance.now());
    t.diagnostic(`taken in after ${times(taken)}`);
    const connect_ms = name => 3 * (round_trips_ms[`${name}-gru`] ?? 0);
    for (const { headers, ms, name } of taken) {
        assert.equal(headers.get('posthaste-region'), 'gru');
        assert.equal(headers.get('posthaste-home-region'), 'iad');
        assert.match(headers.get('posthaste-route-reason'), /stands in/);
        assert.ok(ms < 3000 + connect_ms(name), `${ms} ms at ${name}`);
    }
    const again = await Promise.all(['fra', 'sin', 'gru'].map(name =>
        stage[name].must('POST', '/app/acme/msg', message({ text }), { 'idempotency-key': 'one' })));
    assert.equal(new Set(again.map(({ id }) => id)).size, 1);
    await until(() => stage.fra.must('GET', `/app/acme/attempt/msg/${again[0].id}`), sent, every_ms);

    const discreet = await stage.sin.call('POST', '/app/discreet/msg', message({}), { expect: '100-continue' });
    assert.equal(discreet.status, 307);
    assert.equal(discreet.headers.get('location'), `${stage.gru.url}/api/v1/app/discreet/msg`);
    await answers(stage, ['fra', 'gru'], 'patient', isHeld);

    await stage.gru.kill();
    for (const { status } of await answers(stage, ['fra', 'sin'], 'acme', isHeld)) assert.equal(status, 503);
    assert.equal((await stage.fra.call('POST', '/app/acme/msg', message({ text }))).status, 503);
    await stage.iad.start();
    for (const { headers } of await answers(stage, ['fra', 'sin'], 'acme', ({ status }) => status === 202))
        assert.equal(headers.get('posthaste-region'), 'iad');
});

wanTest('who is unknown is refused, whichever region is asked', { joined: true }, async stage => {
    await allAlive(stage);
    for (const region of stage.regions) {
        assert.equal((await region.call('POST', '/app/nobody/msg', message({}))).status, 404);
        const made = await region.call('POST', '/app', { name: 'Atlantis', residency: { jurisdiction: 'atlantis' } });
        assert.equal(made.status, 422);
        assert.deepEqual(made.body.detail[0].loc, ['body', 'residency', 'jurisdiction']);
    }
});
