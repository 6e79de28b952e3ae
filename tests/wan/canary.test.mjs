// The check for canaries, which follows each test on the WAN, can fail: they are found wherever they are planted.
import test from 'node:test';
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forms } from './lib/canary.mjs';
import { onStage, wanTest } from './lib/stage.mjs';

const regions = ['fra', 'sin'];

// A message of this text, in clear within its region only. Behind the first of all the log is emptied.
const post = async (region, text) => {
    const { id } = await region.must('POST', '/app', { name: 'Shop' });
    await region.send(id, {});
    await region.send(id, { text });
};

const places = [
    ['the log of a database', /sin\/region\/data\/regional\.db-wal holds TEXT \(raw\) at byte \d+/,
        ({ sin }, { text }) => post(sin, text)],
    ['a database', /sin\/region\/data\/regional\.db holds TEXT \(raw\) at byte \d+/, async ({ sin }, { text }) => {
        await post(sin, text);
        await sin.stop();       // which moves the log into the database
    }],
    ['a database, in base64', /regional\.db-wal holds TEXT \(base64 at [012]\) at byte \d+/,
        ({ sin }, { text }) => post(sin, Buffer.from(`{"card":"${text}"}`).toString('base64'))],
    ['a database, in hex', /regional\.db-wal holds TEXT \(hex\) at byte \d+/,
        ({ sin }, { text }) => post(sin, Buffer.from(`<${text}>`).toString('hex'))],
    ['a file in the data directory', /sin\/region\/data\/spool\/1 holds TEXT \(URL\) at byte 5$/m, ({ sin }, { text }) => {
        mkdirSync(join(sin.dir, 'data', 'spool'));
        writeFileSync(join(sin.dir, 'data', 'spool', '1'), `body=${encodeURIComponent(text)}`);
    }, { text: 'canary & sons' }],
    ['what a region says on stderr', /sin\/stderr\.log holds TEXT \(JSON\) at byte \d+/,
        ({ sin }, { text }) => appendFileSync(sin.stderr, `{"event":"accepted","payload":${JSON.stringify(text)}}\n`),
        { text: 'canary "one"' }],
    ['what a region that was killed has left', /sin\/region\/data\/regional\.db-wal holds TEXT/, async ({ sin }, { text }) => {
        await post(sin, text);
        await sin.kill();
    }],
    ['the memory of a region', /the memory of sin holds TEXT \(raw\) at 0x[0-9a-f]+/,
        ({ sin }, { text }) => sin.must('POST', '/app', { name: text }), { stored: regions, memory: ['fra'] }],
    ['the wire, in clear', /the wire fra>sin carried TEXT \(raw\) in clear, 1 times/,
        async ({ fra, site }, { text }) => {
            const sin = await site('sin').receiver();
            await fra.site.fetch(sin.url, { method: 'POST', body: text });
        }],
    ['the wire, in base64 and the other direction', /the wire sin>fra carried TEXT \(base64 at 1\) in clear/,
        async ({ fra, site }, { text }) => {
            const body = Buffer.from(`x${text}x`).toString('base64');
            const sin = await site('sin').receiver({ answers: [{ status: 200, body }] });
            await fra.site.fetch(sin.url, { method: 'POST' });
        }, { clear: ['fra>sin'] }],
];

for (const [place, expected, plant, options] of places) {
    test(`a canary is found in ${place}`, async () => {
        let text;
        const failed = onStage({ regions }, async stage => {
            const canary = await stage.canary({ stored: ['fra'], ...options });
            text = canary.text;
            await plant(stage, canary);
        });
        const error = await failed.then(() => assert.fail('nobody saw it'), x => x);
        assert.match(error.message, new RegExp(expected.source.replace('TEXT', () => text), expected.flags));
    });
}

wanTest('a canary may be where it belongs', { regions }, async stage => {
    const home = await stage.canary({ stored: ['fra'], memory: ['fra'] });
    await post(stage.fra, home.text);
    const abroad = await stage.canary({ stored: ['sin'], clear: ['fra>sin', 'sin>fra'] });      // it is echoed
    await post(stage.sin.from('fra'), abroad.text);
});

test('a text has the same bytes in each of its forms wherever it stands', () => {
    const text = 'canary-0123456789';
    for (const [name, form] of forms(text)) {
        const [, encoding, before] = /^(base64|base64url) at (\d)$/.exec(name) ?? [];
        if (!encoding) continue;
        for (const [head, tail] of [['', ''], ['abc', 'x'], ['xyz123', '?!']]) {
            const stream = Buffer.from(head + 'y'.repeat(before) + text + tail).toString(encoding);
            assert.ok(stream.includes(form.toString()), `${name} in ${stream}`);
        }
    }
});
