// Four regions that know one another by their cards.
import assert from 'node:assert/strict';
import { wanTest } from './lib/stage.mjs';
import { regions } from './lib/wan.mjs';

wanTest('each knows who they all are, and the token of one is good in all', { joined: true }, async stage => {
    const [{ token }] = stage.regions;
    for (const region of stage.regions) {
        const answer = await region.call('GET', '/regions', undefined, { authorization: `Bearer ${token}` });
        assert.deepEqual(answer.body.data.map(({ name, ordinal, jurisdictions }) => [name, ordinal, jurisdictions]),
            [['fra', 1, ['eu']], ['iad', 2, ['us']], ['sin', 3, ['sg']], ['gru', 4, ['br']]]);
        assert.deepEqual(answer.body.data.filter(({ state }) => state === 'self').map(({ name }) => name), [region.name]);
        assert.equal(answer.headers.get('posthaste-region'), region.name);
    }
});

wanTest('the command line tells the same at every site', { joined: true }, async stage => {
    const listed = await Promise.all(stage.regions.map(region => region.command('region', 'list')));
    for (const text of listed)
        for (const name of regions) assert.match(text, new RegExp(`^${name}\\b`, 'm'));
});
