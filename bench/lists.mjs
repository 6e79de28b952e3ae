// How long lists and single objects take where there are very many of them: each figure is that of requests by chance, one after
// the other on one connection.
import os from 'node:os';
import net from 'node:net';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { largeStore } from './large_store.mjs';

const messages = Number(process.env.BENCH_MESSAGES ?? 10_000_000);
const endpoints = Number(process.env.BENCH_ENDPOINTS ?? 100_000);
const requests = Number(process.env.BENCH_REQUESTS ?? 1000);
process.env.TMPDIR = process.env.BENCH_DIR ?? os.tmpdir();

// A connection that asks for one thing after the other.
class Asking {
    async open(dispatcher) {
        this.headers = `HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${dispatcher.token}\r\n\r\n`;
        this.socket = net.connect(dispatcher.port, '127.0.0.1');
        this.socket.setNoDelay();
        await once(this.socket, 'connect');
        this.socket.on('data', piece => this.#read(piece));
        return this;
    }

    #read(piece) {
        this.text = Buffer.concat([this.text, piece]);
        const end = this.text.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = this.text.subarray(0, end).toString();
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (this.text.length < end + 4 + length) return;
        this.answered({ status: Number(head.slice(9, 12)), body: this.text.subarray(end + 4) });
    }

    // How long it took, in milliseconds.
    async get(path) {
        this.text = Buffer.alloc(0);
        const answer = new Promise(resolve => (this.answered = resolve));
        const began = process.hrtime.bigint();
        this.socket.write(`GET /api/v1${path} ${this.headers}`);
        const { status, body } = await answer;
        const took_ms = Number(process.hrtime.bigint() - began) / 1e6;
        if (status >= 300) throw new Error(`${path}: ${status} ${body}`);
        return { took_ms, body };
    }
}

const app = ({ app }) => `/app/${app}`;
const endpoint = it => `${app(it)}/endpoint/${it.endpoint}`;
const message = it => `${app(it)}/msg/${it.msg}`;
const routes = [
    ['ping, for the floor', () => '/health/ping'],
    ['an application', app],
    ['an endpoint', endpoint],
    ['an endpoint by uid', it => `${app(it)}/endpoint/endpoint-7`],
    ['an endpoint\'s secret', it => `${endpoint(it)}/secret`],
    ['an endpoint\'s headers', it => `${endpoint(it)}/headers`],
    ['an event type', () => '/event-type/order.paid'],
    ['a message', message],
    ['a message by event id', it => `${app(it)}/msg/${it.event}`],
    ['an attempt', it => `${message(it)}/attempt/${it.attempt}`],
    ['applications', () => '/app'],
    ['applications, deep', it => `/app?iterator=${it.app}`],
    ['event types', () => '/event-type'],
    ['endpoints', it => `${app(it)}/endpoint`],
    ['endpoints, deep', it => `${app(it)}/endpoint?iterator=${it.endpoint}`],
    ['messages', it => `${app(it)}/msg`],
    ['messages, without content', it => `${app(it)}/msg?with_content=false`],
    ['messages, 250', it => `${app(it)}/msg?limit=250`],
    ['messages, deep', it => `${app(it)}/msg?iterator=${it.msg}`],
    ['messages, back', it => `${app(it)}/msg?iterator=-${it.msg}`],
    ['messages before an instant', it => `${app(it)}/msg?before=${it.at}`],
    ['messages after an instant', it => `${app(it)}/msg?after=${it.at}`],
    ['messages of a channel, 1 in 10', it => `${app(it)}/msg?channel=blue&iterator=${it.msg}`],
    ['messages of a type, 1 in 1,000', it => `${app(it)}/msg?event_types=order.rare&iterator=${it.msg}`],
    ['messages of a tag, 1 in 1,000', it => `${app(it)}/msg?tag=rare&iterator=${it.msg}`],
    ['messages of no such type', it => `${app(it)}/msg?event_types=order.none&iterator=${it.msg}`],
    ['attempts of a message', it => `${app(it)}/attempt/msg/${it.msg}`],
    ['attempts at an endpoint', it => `${app(it)}/attempt/endpoint/${it.endpoint}`],
    ['attempts at an endpoint, deep', it => `${app(it)}/attempt/endpoint/${it.endpoint}?iterator=${it.attempt}`],
    ['attempts that failed, 1 in 50', it => `${app(it)}/attempt/endpoint/${it.endpoint}?status=2&iterator=${it.attempt}`],
    ['attempts that were answered 3xx, none', it => `${app(it)}/attempt/endpoint/${it.endpoint}?status_code_class=300&iterator=${it.attempt}`],
    ['attempts with their messages', it => `${app(it)}/attempt/endpoint/${it.endpoint}?with_msg=true&iterator=${it.attempt}`],
    ['destinations of a message', it => `${message(it)}/endpoint`],
    ['messages tried at an endpoint', it => `${endpoint(it)}/msg?iterator=${it.msg}`],
    ['messages delivered to an endpoint', it => `${endpoint(it)}/msg?status=0&iterator=${it.msg}`],
    ['stats of an endpoint, 28 days', it => `${endpoint(it)}/stats`],
    ['background tasks', () => '/background-task'],
    ['status', () => '/status'],
];

const sorted = values => values.sort((x, y) => x - y);
const ms = value => value.toFixed(value < 10 ? 2 : 0);

async function measure(asking, path, things) {
    const took = [];
    const began = Date.now();
    for (const thing of things) {
        took.push((await asking.get(path(thing))).took_ms);
        if (Date.now() - began > 20_000) break;     // the slow ones are known by then
    }
    sorted(took);
    return { p50: took[took.length >> 1], p99: took[Math.floor(took.length * 0.99)] };
}

const { dispatcher, busy, others } = await largeStore({ messages, endpoints, samples: requests });
try {
    const asking = await new Asking().open(dispatcher);
    const bytes = statSync(join(dispatcher.dir, 'data', 'regional.db')).size;
    console.log(`${os.cpus().length} × ${os.cpus()[0].model}, Linux ${os.release()}, ${new Date().toISOString().slice(0, 10)}; ` +
        `${messages.toLocaleString('en')} messages, ${endpoints.toLocaleString('en')} endpoints, ${(bytes / 1e9).toFixed(1)} GB\n`);
    console.log('| p50 / p99 in ms | of an application of a thousand | of the one that has half of the messages |');
    console.log('| --- | --- | --- |');
    for (const [name, path] of routes) {
        const cells = [];
        for (const things of [others, busy]) {
            const { p50, p99 } = await measure(asking, path, things);
            cells.push(`${ms(p50)} / ${ms(p99)}`);
        }
        console.log(`| ${name} | ${cells.join(' | ')} |`);
    }
    asking.socket.destroy();
} finally {
    await dispatcher.stop();
    dispatcher.remove();
}
