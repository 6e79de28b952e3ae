// A list that is asked for page by page, of a server that we hold up: what is printed when, and how it ends.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { posthaste } from './lib/dispatcher.mjs';
import { until } from './lib/wait.mjs';

const app = (n, name) => ({ id: `app_${n}`, uid: null, name, metadata: {}, createdAt: '2026-11-24T09:18:00.000Z' });

// A server of `pages`, each an array of names; a page that isn't there is never answered.
async function lister(t, pages) {
    const asked = [];
    const server = createServer((request, response) => {
        const { searchParams } = new URL(request.url, 'http://h');
        const page = Number(searchParams.get('iterator') ?? 0);
        asked.push(page);
        if (!pages(page)) return;
        const data = pages(page).map((name, n) => app(`${page}_${n}`, name));
        response.end(JSON.stringify({ data, iterator: String(page + 1), done: false }));
    });
    t.after(() => { server.closeAllConnections?.(); server.close(); });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return { url: `http://127.0.0.1:${server.address().port}`, asked };
}

// `posthaste app list --all` of it; `wrapper` runs the program, if not we.
function list(t, server, form, wrapper = []) {
    const [program, ...args] = [...wrapper, posthaste, 'app', 'list', '--all', '--url', server.url, '--token', 'x',
        '-o', form];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const run = { child, out: '', err: '', exited: once(child, 'close') };
    child.stdout.setEncoding('utf8').on('data', text => { run.out += text; });
    child.stderr.setEncoding('utf8').on('data', text => { run.err += text; });
    t.after(() => child.kill('SIGKILL'));
    return run;
}

const twoPages = page => [['Shop', 'A'], ['B', 'A longer name']][page];

for (const signal of ['SIGINT', 'SIGTERM'])
    test(`${signal} ends a list of JSON behind the page that is printed, and it is JSON`, async t => {
        const server = await lister(t, twoPages);
        const run = list(t, server, 'json');
        await until(() => server.asked, asked => asked.length === 3);
        run.child.kill(signal);
        assert.deepEqual((await run.exited).slice(0, 2), [null, signal]);
        assert.deepEqual(JSON.parse(run.out).map(a => a.name), ['Shop', 'A', 'B', 'A longer name']);
        assert.equal(run.err, 'posthaste: interrupted: go on with --all --iterator 2\n');
    });

test('a page is printed before the next is answered, in every form', async t => {
    for (const form of ['table', 'json', 'jsonl']) {
        const server = await lister(t, twoPages);
        const run = list(t, server, form);
        await until(() => run.out, out => out.includes('A longer name'));
        run.child.kill();
        await run.exited;
    }
});

test('the pages of a table have one heading, and columns that only get wider', async t => {
    const server = await lister(t, page => [['A longer name'], ['B'], ['A name that is longer yet'], ['C']][page]);
    const run = list(t, server, 'table');
    await until(() => server.asked, asked => asked.length === 5);
    run.child.kill();
    await run.exited;
    const rows = run.out.trimEnd().split('\n').map(row => row.indexOf('2026-11'));
    assert.equal(run.out.match(/CREATED/g).length, 1);
    assert.equal(rows.length, 5);
    assert.equal(rows[2], rows[1]);
    assert.ok(rows[3] > rows[2]);
    assert.equal(rows[4], rows[3]);
});

test('who is told by nothing but a failed write asks for no more either', async t => {
    const server = await lister(t, () => Array(250).fill('x'.repeat(1000)));
    const run = list(t, server, 'jsonl', ['sh', '-c', 'trap "" PIPE; exec "$@"', 'sh']);
    await once(run.child.stdout, 'data');
    run.child.stdout.destroy();
    assert.deepEqual((await run.exited).slice(0, 2), [1, null]);
    assert.match(run.err, /^posthaste: stdout: Broken pipe$/m);
});

test('a list whose reader has gone ends by SIGPIPE', async t => {
    const server = await lister(t, () => Array(250).fill('x'.repeat(1000)));
    const run = list(t, server, 'jsonl');
    await once(run.child.stdout, 'data');
    run.child.stdout.destroy();
    assert.deepEqual((await run.exited).slice(0, 2), [null, 'SIGPIPE']);
    assert.equal(run.err, '');
});

test('a signal that was ignored stays so', async t => {
    const server = await lister(t, twoPages);
    const run = list(t, server, 'jsonl', ['sh', '-c', 'trap "" INT; exec "$@"', 'sh']);
    await until(() => server.asked, asked => asked.length === 3);
    run.child.kill('SIGINT');
    run.child.kill('SIGTERM');
    assert.deepEqual((await run.exited).slice(0, 2), [null, 'SIGTERM']);
});

test('a server that says that more follows, and not where, is asked once', async t => {
    const server = createServer((_, response) =>
        response.end(JSON.stringify({ data: [app(0, 'A')], iterator: 'same', done: false })));
    t.after(() => server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const run = list(t, { url: `http://127.0.0.1:${server.address().port}` }, 'jsonl');
    assert.deepEqual((await run.exited).slice(0, 2), [1, null]);
    assert.match(run.err, /says that more follows, and not where/);
});
