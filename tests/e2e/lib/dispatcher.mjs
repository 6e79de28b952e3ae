// A real dispatcher in a directory of its own, driven as an operator would.
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { checkAnswer } from './contract.mjs';

export const posthaste =
    process.env.POSTHASTE ?? new URL('../../../build/release/posthaste', import.meta.url).pathname;

// As fetch(), of an answer that must be one of the contract's.
export async function checkedFetch(url, options) {
    const response = await fetch(url, options);
    const text = await response.clone().text();
    checkAnswer(posthaste, options?.method ?? 'GET', url, response.status, response.headers, text);
    return response;
}

export class Dispatcher {
    // `init` is what `posthaste init` is told beyond the folder; `base` is where that folder will be.
    constructor({ args = [], env = {}, subnet = '127.0.0.0/8', address = '127.0.0.1', port = 0, init = [], base } = {}) {
        this.base = base ?? mkdtempSync(join(tmpdir(), 'posthaste-e2e-'));
        this.dir = join(this.base, 'region');
        this.address = address;
        this.port = port;
        this.args = ['--allow-subnet', subnet, ...args];
        this.env = { ...process.env, ...env };
        this.wrapper = [];      // what runs the program, if not we
        this.logs = [];
        this.facts = [];        // those of its lines that are facts
        this.waiting = [];
        this.run('init', this.dir, ...init);
        this.config = join(this.dir, 'posthaste.yaml');
        this.token = this.run('token', 'create', '--config', this.config).trim();
    }

    run(...args) {
        return execFileSync(posthaste, args, { encoding: 'utf8', env: this.env });
    }

    // Start, or start again after a stop or kill, on the port it had before.
    async start() {
        const listen = `${this.address}:${this.port}`;
        const [program, ...args] = [...this.wrapper, posthaste, 'serve', '--config', this.config,
            '--listen', listen, '--log-format', 'json', ...this.args];
        this.process = spawn(program, args, { env: this.env, stdio: ['ignore', 'ignore', 'pipe'] });
        this.exited = once(this.process, 'exit');
        createInterface({ input: this.process.stderr }).on('line', line => this.heard(line));
        const early = this.exited.then(([code, signal]) => {
            throw new Error(`serve ended early: ${code ?? signal}\n${this.logs.slice(-5).join('\n')}`);
        });
        const { port } = await Promise.race([this.logged('listening'), early]);
        early.catch(() => {});
        this.port = port;
        this.url = `http://${this.address}:${port}`;
        return this;
    }

    heard(line) {
        this.logs.push(line);
        let fact;
        try {
            fact = JSON.parse(line);
        } catch {
            return;     // a sanitizer's report: kept in the logs
        }
        this.facts.push(fact);
        this.waiting = this.waiting.filter(w => !w.isIt(fact) || (w.resolve(fact), false));
    }

    // The next log line of this event of which `satisfied` says so.
    logged(event, satisfied = () => true) {
        const isIt = fact => fact.event === event && satisfied(fact);
        return new Promise(resolve => this.waiting.push({ isIt, resolve }));
    }

    async kill() {
        this.process.kill('SIGKILL');
        await this.exited;
    }

    async stop() {
        this.process.kill('SIGTERM');
        const [code] = await this.exited;
        return code;
    }

    remove() {
        rmSync(this.base, { recursive: true, force: true });
    }

    fetch(url, options) {
        return fetch(url, options);
    }

    async call(method, path, body, headers = {}) {
        const response = await this.fetch(`${this.url}/api/v1${path}`, {
            method,
            headers: {
                authorization: `Bearer ${this.token}`,
                ...(body === undefined ? {} : { 'content-type': 'application/json' }),
                ...headers,
            },
            body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
        });
        const text = await response.text();
        checkAnswer(posthaste, method, `${this.url}/api/v1${path}`, response.status, response.headers, text);
        return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null };
    }

    // As call(), for what must succeed.
    async must(method, path, body, headers) {
        const answer = await this.call(method, path, body, headers);
        if (answer.status >= 300)
            throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
        return answer.body;
    }

    // An application with one endpoint, and the endpoint's secret.
    async endpoint(url, fields = {}) {
        const app = await this.must('POST', '/app', { name: 'Shop' });
        const endpoint = await this.must('POST', `/app/${app.id}/endpoint`, { url, ...fields });
        const { key } = await this.must('GET', `/app/${app.id}/endpoint/${endpoint.id}/secret`);
        return { app: app.id, id: endpoint.id, secret: key };
    }

    send(app, payload, fields = {}) {
        return this.must('POST', `/app/${app}/msg`, { eventType: 'order.paid', payload, ...fields });
    }

    async attempts(app, message) {
        const page = await this.must('GET', `/app/${app}/attempt/msg/${message}`);
        return page.data.reverse();
    }
}

// Start one for a test and take it away afterwards.
export async function dispatcher(t, options) {
    const d = await new Dispatcher(options).start();
    t.after(async () => {
        if (d.process.exitCode === null && d.process.signalCode === null) await d.stop();
        d.remove();
    });
    return d;
}
