// Bad input: a clear error that names the field, and nothing stored.
import test from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { checkedFetch, dispatcher, posthaste } from './lib/dispatcher.mjs';

const deep = '{"a":'.repeat(129) + '1' + '}'.repeat(129);
const bodies = [
    ['no JSON', '{"eventType":', 422, /body/],
    ['no object', '[1]', 422, /body/],
    ['an empty body', '', 422, /body/],
    ['bytes after the end', '{"eventType":"a","payload":{}} x', 422, /body/],
    ['a payload that is too deep', `{"eventType":"a","payload":${deep}}`, 422, /depth|deep|nest/],
    ['a payload that is no object', '{"eventType":"a","payload":[1]}', 422, /"payload"/],
    ['no payload', '{"eventType":"a"}', 422, /"payload"/],
    ['no event type', '{"payload":{}}', 422, /"eventType"/],
    ['an event type of another type', '{"eventType":7,"payload":{}}', 422, /"eventType"/],
    ['an event type with a space', '{"eventType":"a b","payload":{}}', 422, /"eventType"/],
    ['channels of another type', '{"eventType":"a","payload":{},"channels":"x"}', 422, /"channels"/],
    ['too many channels', '{"eventType":"a","payload":{},"channels":["1","2","3","4","5","6","7","8","9","a","b"]}', 422, /"channels"/],
    ['the payload twice', '{"eventType":"a","payload":{},"payload":{}}', 422, /payload/],
    ['a lone surrogate', '{"eventType":"a","payload":{"x":"\\ud800"}}', 422, /body/],
    ['too large a body', `{"eventType":"a","payload":{"x":"${'y'.repeat(3 << 20)}"}}`, 413, /payload_too_large/],
];
test('a wrong message is refused with the field, and nothing is stored', async t => {
    const d = await dispatcher(t);
    const { id: app } = await d.must('POST', '/app', { name: 'Shop' });
    for (const [name, body, status, says] of bodies) {
        const answer = await d.call('POST', `/app/${app}/msg`, body);
        assert.equal(answer.status, status, name);
        assert.match(JSON.stringify(answer.body), says, name);
    }
    const { data } = await d.must('GET', `/app/${app}/msg`);
    assert.deepEqual(data, []);
});

test('a wrong endpoint URL is refused with the field', async t => {
    const d = await dispatcher(t);
    const { id: app } = await d.must('POST', '/app', { name: 'Shop' });
    for (const url of ['ftp://h/', 'file:///etc/passwd', 'http://user:pass@h/', 'http://h/\n', 'http://h\\x',
        'http://', '//h/', 'h', '', 'http://h:0/', 'http://h:99999/', 'gopher://h', 'http://h /']) {
        const answer = await d.call('POST', `/app/${app}/endpoint`, { url });
        assert.equal(answer.status, 422, url);
        assert.deepEqual(answer.body.detail[0].loc, ['body', 'url'], url);
    }
});

test('what the router itself answers is JSON too', async t => {
    const d = await dispatcher(t);
    for (const [method, path, status] of [['GET', '/nothing', 404], ['DELETE', '/app', 405], ['PUT', '/health', 405]]) {
        const answer = await d.call(method, path);
        assert.equal(answer.status, status);
        assert.equal(typeof answer.body.code, 'string');
        assert.equal(typeof answer.body.detail, 'string');
    }
    const response = await checkedFetch(`${d.url}/api/v1/app`);
    assert.equal(response.status, 401);
    assert.deepEqual(await response.json(), { code: 'authentication_failed', detail: 'Invalid token' });
});

function serve(config, ...args) {
    return spawnSync(posthaste, ['serve', '--config', config, '--listen', '127.0.0.1:0', ...args],
        { encoding: 'utf8', timeout: 20_000 });
}

const errors = stderr => stderr.split('\n').filter(line => / error /.test(line));

function region(t) {
    const base = mkdtempSync(join(tmpdir(), 'posthaste-config-'));
    t.after(() => rmSync(base, { recursive: true, force: true }));
    const dir = join(base, 'region');
    assert.equal(spawnSync(posthaste, ['init', dir]).status, 0);
    return { dir, config: join(dir, 'posthaste.yaml'), key: join(dir, 'master.key') };
}

test('an unknown key is named with file and line, and exit 2', t => {
    const { config } = region(t);
    const lines = readFileSync(config, 'utf8').split('\n').length;
    appendFileSync(config, 'colour: blue\n');
    const { status, stderr } = serve(config);
    assert.equal(status, 2);
    assert.match(stderr, new RegExp(`posthaste\\.yaml:${lines}:.*colour`));
});

test('a wrong type is named with file, line and key, and exit 2', t => {
    const { config } = region(t);
    writeFileSync(config, 'delivery:\n  timeout: soon\n');
    const { status, stderr } = serve(config);
    assert.equal(status, 2);
    assert.match(stderr, /posthaste\.yaml:2:.*timeout/);
});

test('a key file that others may read, or that is missing, is named, and exit 2', t => {
    const { config, key } = region(t);
    chmodSync(key, 0o644);
    let { status, stderr } = serve(config);
    assert.equal(status, 2);
    assert.match(stderr, /master\.key/);
    rmSync(key);
    ({ status, stderr } = serve(config));
    assert.equal(status, 2);
    assert.match(stderr, /master\.key/);
});

test('a port in use, or a directory that is no directory, is one line and exit 1', async t => {
    const { config, key } = region(t);
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    t.after(() => taken.close());
    const inUse = spawnSync(posthaste, ['serve', '--config', config, '--listen',
        `127.0.0.1:${taken.address().port}`], { encoding: 'utf8', timeout: 20_000 });
    assert.equal(inUse.status, 1);
    assert.equal(errors(inUse.stderr).length, 1, inUse.stderr);
    assert.match(errors(inUse.stderr)[0], /in use/);

    const noDirectory = serve(config, '--data', key);
    assert.equal(noDirectory.status, 1);
    assert.equal(errors(noDirectory.stderr).length, 1, noDirectory.stderr);
});

test('a second dispatcher on the same directory is refused', async t => {
    const d = await dispatcher(t);
    const { status, stderr } = serve(d.config);
    assert.equal(status, 1);
    assert.match(stderr, /in use/);
});

test('what answers GET answers HEAD with the same length and no body', async t => {
    const d = await dispatcher(t);
    await d.must('POST', '/app', { name: 'Shop', uid: 'shop' });
    const headers = { authorization: `Bearer ${d.token}` };
    for (const path of ['/app', '/app/shop', '/app/shop/endpoint', '/status']) {
        const get = await checkedFetch(`${d.url}/api/v1${path}`, { headers });
        const text = await get.text();
        const head = await checkedFetch(`${d.url}/api/v1${path}`, { method: 'HEAD', headers });
        assert.equal(head.status, 200, path);
        assert.equal(await head.text(), '');
        if (path !== '/status') assert.equal(head.headers.get('content-length'), String(text.length));
    }
    assert.equal((await checkedFetch(`${d.url}/api/v1/app/none`, { method: 'HEAD', headers })).status, 404);
});
