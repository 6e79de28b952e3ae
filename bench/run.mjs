// The benchmark: each figure beside the raw libraries' in the same run, for machines differ and so do hours.
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { Region, Sink } from './region.mjs';
import { failures } from '../tests/e2e/lib/failures.mjs';
import { until } from '../tests/e2e/lib/wait.mjs';
import { measure, program, residentMegabytes, systemCalls } from './process.mjs';

const scale = Number(process.env.BENCH_SCALE ?? 1);
const messages = Math.round(60_000 * scale);
const waiting = Math.round(1_000_000 * scale);
process.env.TMPDIR = process.env.BENCH_DIR ?? os.tmpdir();

const rows = [];
function row(name, figure, ratio = '', goal = '') {
    rows.push([name, figure, ratio, goal]);
    console.error(`  ${name}: ${figure} ${ratio}`);
}
const rate = x => `${Math.round(x).toLocaleString('en')}/s`;
const micro = x => `${x.toFixed(1)} µs`;
const times = x => `${x.toFixed(2)} ×`;

const hook = sink => `http://127.0.0.1:${sink.port}/hook`;
const hooks = (sink, count) => Array.from({ length: count }, () => hook(sink));

// (a), before and after each figure that is compared with it.
const ceilings = [];
async function ceiling(sink) {
    const raw = await measure(program('curl_ceiling'), '--port', sink.port, '--requests', messages, '--in-flight', 64);
    ceilings.push(raw);
    return raw;
}

async function besideCeiling(sink, work) {
    const before = await ceiling(sink);
    const cost = await work();
    const after = await ceiling(sink);
    return {
        ...cost,
        ofRate: messages / cost.seconds / ((before.rate + after.rate) / 2),
        ofCpu: cost.cpu / messages / ((before.cpu_us_per_request + after.cpu_us_per_request) / 2),
    };
}

const endpoints = count => `${count} endpoint${count > 1 ? 's' : ''}`;
const median = values => values.sort((x, y) => x - y)[values.length >> 1];

function ceilingRow() {
    row('(a) libcurl alone, 64 in flight, median', rate(median(ceilings.map(raw => raw.rate))),
        `${micro(median(ceilings.map(raw => raw.cpu_us_per_request)))} a request`);
}

// As many deliveries, of as many messages or, together, of a message for each hundred endpoints.
async function fullPath(sink, count, together = false) {
    const region = await new Region().start(hooks(sink, count), { together });
    const path = await besideCeiling(sink, async () => {
        await sink.reset();
        return region.cost(async () => {
            await region.load('--connections', 64, '--requests', together ? messages / count : messages);
            await sink.received(messages);
            await region.recorded();
        });
    });
    await region.stop();
    const [what, whom] = together ? ['delivery', `each to ${endpoints(count)}`] : ['message', endpoints(count)];
    row(`(b) POST → 202 → delivered → recorded, ${whom}`, rate(messages / path.seconds),
        `${times(path.ofRate)} (a)`, '≥ 0.38');
    row(`    CPU of our process a ${what}`, micro(path.cpu / messages), `${times(path.ofCpu)} (a)`, '≤ 2.5');
    const { api, writer, dispatch } = path.threads;
    row('    of it api / writer / dispatch', [api, writer, dispatch].map(us => (us / messages).toFixed(1)).join(' / ') + ' µs');
}

// A POST that no route takes: read whole, parsed, answered.
async function serverAlone() {
    const region = await new Region().start([]);
    const { cpu, seconds } = await region.cost(() => region.loadAt('/api/v1/health/ping', '--connections', 64, '--requests', messages));
    await region.stop();
    row('(s) the HTTP server alone, a POST that is refused', rate(messages / seconds), `${micro(cpu / messages)} a request`);
}

async function sqliteAlone() {
    const dir = mkdtempSync(join(os.tmpdir(), 'posthaste-bench-'));
    const raw = await measure(program('sqlite_ceiling'), dir, messages, 100);
    rmSync(dir, { recursive: true });
    row('(c) SQLite alone, the same rows, groups of 100', rate(raw.messages / raw.seconds),
        `${micro(raw.cpu_us_per_message)} a message`);
}

async function backlog(sink, count) {
    const region = await new Region().start(hooks(sink, count), { disabled: true });
    const ingest = await region.cost(() => region.load('--connections', 64, '--requests', messages));
    row(`durable ingest alone, ${endpoints(count)}`, rate(messages / ingest.seconds),
        `${micro(ingest.cpu / messages)} a message`, '≤ 40 µs');
    const drain = await besideCeiling(sink, async () => {
        await sink.reset();
        return region.cost(async () => {
            await region.setDisabled(false);
            await sink.received(messages);
            await region.recorded();
        });
    });
    await region.stop();
    row('(d) drain of that backlog', rate(messages / drain.seconds), `${times(drain.ofRate)} (a)`, '≥ 0.6');
    row('    CPU of our process a message', micro(drain.cpu / messages), `${times(drain.ofCpu)} (a)`);
}

async function calls(sink) {
    const region = await new Region().start([hook(sink)]);
    const count = Math.round(messages / 3);
    await sink.reset();
    const total = await systemCalls(region.pid, async () => {
        await region.load('--connections', 64, '--requests', count);
        await sink.received(count);
        await region.recorded();
    });
    row('system calls a message (strace)', total === null ? 'strace not allowed' : (total / count).toFixed(1), '', '≤ 12');
    await region.stop();
}

// Endpoints that accept and never answer, among healthy ones. Their share of the messages is posted all the
// same, so the rates to compare are those of one healthy endpoint.
async function isolation(sink) {
    const silent = net.createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const dead = `http://127.0.0.1:${silent.address().port}/hook`;
    const healthyRate = async deadCount => {
        const urls = hooks(sink, 100).map((url, i) => (i < deadCount ? dead : url));
        const region = await new Region().start(urls);
        const healthy = messages - Math.ceil(messages / 100) * deadCount;
        await sink.reset();
        const { seconds } = await region.cost(async () => {
            await region.load('--connections', 64, '--requests', messages);
            await sink.received(healthy);
        });
        await region.dispatcher.kill(); // without waiting for those who never answer
        region.dispatcher.remove();
        return healthy / (100 - deadCount) / seconds;
    };
    let before = await healthyRate(0);
    for (const deadCount of [1, 10]) {
        const some = await healthyRate(deadCount);
        const after = await healthyRate(0);
        row(`rate to a healthy endpoint of 100, of which ${deadCount} never answer`, rate(some),
            `${times(some / ((before + after) / 2))} none`, '≥ 0.9');
        before = after;
    }
    silent.close();
}

// A million deliveries to endpoints that refuse: 100 endpoints of one application.
async function memory() {
    const region = await new Region().start(new Array(100).fill('http://127.0.0.1:1/hook'), { together: true });
    await region.load('--connections', 64, '--requests', Math.ceil(waiting / 100));
    const { pending } = await region.status();
    row(`resident memory while ${pending.toLocaleString('en')} deliveries wait`, `${residentMegabytes(region.pid).toFixed(0)} MB`, '', '≤ 64 MB');
    await region.dispatcher.kill();
    const began = process.hrtime.bigint();
    await region.dispatcher.start();
    row('    from kill -9 to healthy again', `${(Number(process.hrtime.bigint() - began) / 1e6).toFixed(0)} ms`);
    await region.stop();
}

// A region with so many messages that failed, some days ago, at an endpoint that is disabled, and an endpoint of somebody else,
// whose messages are measured.
async function besideFailures(sink, days) {
    const region = await new Region().start([hook(sink)], { disabled: true });
    const { dispatcher, endpoints: [failing] } = region;
    await dispatcher.send(failing.app, {});
    await dispatcher.stop();
    failures(dispatcher, waiting - 1, days);
    await dispatcher.start();
    region.pid = dispatcher.process.pid;
    region.endpoints = [await dispatcher.endpoint(hook(sink))];
    await sink.reset();
    return { region, dispatcher, failing };
}

async function arrivals(sink, region, seconds) {
    const { ok } = await region.load('--connections', 32, '--rate', 500, '--seconds', Math.max(2, Math.round(seconds * scale)));
    const { p50_us, p99_us } = await sink.received(ok);
    return `${(p50_us / 1000).toFixed(1)} / ${(p99_us / 1000).toFixed(1)} ms`;
}

async function latency(sink) {
    const region = await new Region().start([hook(sink)]);
    await sink.reset();
    row('POST to arrival at 500/s, p50 / p99', await arrivals(sink, region, 20), '', '≤ 2 / ≤ 15 ms');
    await region.stop();
}

// What the recover asks for waits, for its endpoint is disabled.
async function recovery(sink) {
    const { region, dispatcher, failing: { app, id } } = await besideFailures(sink, 0);
    const since = new Date(Date.now() - 2 * 3600_000).toISOString();
    const began = process.hrtime.bigint();
    const task = await dispatcher.must('POST', `/app/${app}/endpoint/${id}/recover`, { since });
    const ended = until(() => dispatcher.must('GET', `/background-task/${task.id}`), now => now.status !== 'running', 100)
        .then(now => ({ ...now, seconds: Number(process.hrtime.bigint() - began) / 1e9 }));
    const figure = await arrivals(sink, region, 20);
    const { data, seconds } = await ended;
    row(`    the same while ${data.deliveries.toLocaleString('en')} are recovered`, figure, rate(data.deliveries / seconds), '≤ 2 / ≤ 15 ms');
    await region.stop();
}

// As long as there is something to remove: it begins with the start.
async function pruning(sink) {
    const { region } = await besideFailures(sink, 100);
    const removed = async () => {
        const { payloadsRemoved, attemptsRemoved, messagesRemoved } = (await region.status()).retention;
        return payloadsRemoved + attemptsRemoved + messagesRemoved;
    };
    const before = await removed(), began = process.hrtime.bigint();
    const figure = await arrivals(sink, region, 10);
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    row('    the same while retention removes what is too old', figure, `${rate((await removed() - before) / seconds)} of rows`, '≤ 2 / ≤ 15 ms');
    await region.stop();
}

function print() {
    const widths = [0, 1, 2, 3].map(i => Math.max(...rows.map(r => r[i].length), 4));
    const line = cells => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
    console.log(`${os.cpus().length} × ${os.cpus()[0].model}, Linux ${os.release()}, ${new Date().toISOString().slice(0, 10)}\n`);
    console.log(line(['', 'here', 'ratio or cost', 'goal']));
    console.log(line(widths.map(width => '-'.repeat(width))));
    for (const cells of rows) console.log(line(cells));
}

const sink = await new Sink().start('--port', 0);
await fullPath(sink, 1);
await fullPath(sink, 100);
await fullPath(sink, 100, true);
await serverAlone();
await sqliteAlone();
await backlog(sink, 1);
await backlog(sink, 100);
await calls(sink);
await latency(sink);
await recovery(sink);
await pruning(sink);
await isolation(sink);
await memory();
sink.stop();
ceilingRow();
print();
