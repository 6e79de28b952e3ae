// Peers that aren't what they were: that link stops, visibly, and everything else goes on.
import assert from 'node:assert/strict';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../e2e/lib/wait.mjs';
import { impostor } from './lib/impostor.mjs';
import { wanTest } from './lib/stage.mjs';

const every_ms = 20;
const version = 1;      // of the link
const jurisdictions = { fra: 'eu', iad: 'us', sin: 'sg', gru: 'br' };
const three = { joined: true, regions: ['fra', 'iad', 'gru'] };

const call = (stage, name, method, path, body) =>
    stage[name].call(method, path, body, { authorization: `Bearer ${stage.regions[0].token}` });

const make = async (stage, home, uid) => {
    const residency = { jurisdiction: jurisdictions[home], home };
    const answer = await call(stage, home, 'POST', '/app', { name: uid, uid, residency });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
};

const arrives = (stage, name, uid) =>
    until(() => call(stage, name, 'GET', `/app/${uid}`), ({ status }) => status === 200, every_ms);

// How a region sees another, once that is as wanted.
const sees = (stage, name, other, wanted) =>
    until(async () => (await call(stage, name, 'GET', '/regions')).body.data.find(region => region.name === other),
        wanted, every_ms);

const isAlive = ({ state }) => state === 'alive';

// Between two that see each other, whatever a third one is.
async function goesOn(stage, one, other, uid) {
    await sees(stage, other, one, isAlive);
    await make(stage, one, uid);
    await arrives(stage, other, uid);
}

// Until the log names the peer and says why.
const says = (region, event, isIt) => until(() => region.facts.find(fact => fact.event === event && isIt(fact)), fact => fact, every_ms);

const data = region => join(region.dir, 'data');

wanTest('a region that was restored, and then wrote as much as it had lost, is found out before it writes more',
    { joined: true, regions: ['fra', 'iad', 'sin'] }, async stage => {
        const { fra, sin } = stage;
        await sees(stage, 'fra', 'sin', isAlive);
        await make(stage, 'sin', 'kept');
        await arrives(stage, 'fra', 'kept');
        await sin.stop();
        cpSync(data(sin), join(sin.base, 'copy'), { recursive: true });
        await sin.start();
        await make(stage, 'sin', 'lost');
        await arrives(stage, 'fra', 'lost');
        await sin.stop();
        rmSync(data(sin), { recursive: true });
        cpSync(join(sin.base, 'copy'), data(sin), { recursive: true });
        await stage.wan.cut('sin');
        await sin.start();
        await make(stage, 'sin', 'instead');
        await stage.wan.heal();
        await says(fra, 'replication_stopped', ({ peer, reason }) => peer === 'sin' && /history/.test(reason));
        await sees(stage, 'fra', 'sin', ({ reason }) => /history/.test(reason));
        assert.equal((await call(stage, 'fra', 'GET', '/app/lost')).status, 200);       // what it has stays
        await goesOn(stage, 'iad', 'fra', 'beside');
        assert.equal((await call(stage, 'fra', 'POST', '/replication/sin/reseed')).status, 204);
        await arrives(stage, 'fra', 'instead');
        await sees(stage, 'fra', 'sin', ({ reason }) => reason === null);
    });

for (const { what, hello, reason } of [
    { what: 'says that it has another name', hello: { region: 'lhr' }, reason: /lhr, ordinal 4, not what its card says/ },
    { what: 'says that it has another ordinal', hello: { ordinal: 9 }, reason: /gru, ordinal 9, not what its card says/ },
    { what: 'speaks later versions of the link alone', hello: { versionLeast: version + 1, versionMost: version + 2 },
        reason: /speaks versions 2 to 3 of the link, we speak 1/ },
])
    wanTest(`a peer that ${what} is left alone, and the others go on`, three, async (stage, t) => {
        await stage.gru.stop();
        await impostor(t, stage.gru, { region: 'gru', ordinal: 4, versionLeast: version, versionMost: version, build: '', ...hello });
        await says(stage.fra, 'peer', fact => fact.region === 'gru' && fact.state === 'incompatible' && reason.test(fact.reason));
        assert.match((await sees(stage, 'fra', 'gru', ({ state }) => state === 'incompatible')).reason, reason);
        await goesOn(stage, 'iad', 'fra', 'beside');
    });

wanTest('a peer that shows another certificate than its card has is not spoken to, and the others go on', three, async (stage, t) => {
    await stage.gru.stop();
    const { asked } = await impostor(t, stage.gru, { region: 'gru', ordinal: 4 }, stage.iad);
    const { reason } = await sees(stage, 'fra', 'gru', ({ reason }) => /certificate/.test(reason));
    await says(stage.fra, 'peer', fact => fact.region === 'gru' && fact.reason === reason);
    await goesOn(stage, 'iad', 'fra', 'beside');
    assert.equal(asked.count, 0);
});

wanTest('cards with a name or an ordinal that is taken are left out, and the others go on', three, async stage => {
    const { fra, iad } = stage;
    const cards = {
        fra: await fra.card(),
        iad: (await iad.card()).replace(/^ordinal: 2$/m, 'ordinal: 4'),
    };
    await fra.stop();
    for (const [name, card] of Object.entries(cards)) writeFileSync(join(fra.dir, 'peers', `${name}.yaml`), card);
    await fra.start();
    await says(fra, 'peer_left_out', ({ reason }) => /peers\/fra\.yaml:1: name: there is a region fra already$/.test(reason));
    await says(fra, 'peer_left_out', ({ reason }) => /peers\/iad\.yaml:2: ordinal: 4 is that of gru already$/.test(reason));
    await goesOn(stage, 'gru', 'fra', 'beside');
    await sees(stage, 'iad', 'fra', ({ state, reason }) => state === 'incompatible' && /TLS/.test(reason));
    await goesOn(stage, 'gru', 'iad', 'there');
    const { data: known } = (await call(stage, 'fra', 'GET', '/regions')).body;
    assert.deepEqual(known.map(({ name }) => name), ['fra', 'gru']);
});
