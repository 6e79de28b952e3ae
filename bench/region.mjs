// A dispatcher, its endpoints, and a sink that receives.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Dispatcher } from '../tests/e2e/lib/dispatcher.mjs';
import { until } from '../tests/e2e/lib/wait.mjs';
import { cpuOfThreads, measure, program } from './process.mjs';

const every_ms = 10;

export class Sink {
    async start(...args) {
        this.process = spawn(program('http_sink'), args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
        const [line] = await once(createInterface({ input: this.process.stdout }), 'line');
        this.port = Number(line);
        return this;
    }

    async stats(path = 'stats') {
        return (await fetch(`http://127.0.0.1:${this.port}/${path}`)).json();
    }

    // Until so many requests came since the last reset().
    async received(count) {
        return until(() => this.stats(), stats => stats.requests >= count, every_ms);
    }

    reset() {
        return this.stats('reset');
    }

    stop() {
        this.process.kill();
    }
}

export class Region {
    // An endpoint for each URL: each of an application of its own, or all of the same.
    async start(urls, { args = [], disabled = false, together = false } = {}) {
        this.dispatcher = await new Dispatcher({ args }).start();
        this.endpoints = [];
        for (const url of urls) {
            const [{ app } = {}] = this.endpoints;
            this.endpoints.push(together && app
                ? { app, ...await this.dispatcher.must('POST', `/app/${app}/endpoint`, { url, disabled }) }
                : await this.dispatcher.endpoint(url, { disabled }));
        }
        this.pid = this.dispatcher.process.pid;
        return this;
    }

    // Post messages of 1 KiB, which take turns among the applications.
    load(...args) {
        return this.loadAt(this.endpoints.map(({ app }) => `/api/v1/app/${app}/msg`).join(','), ...args);
    }

    loadAt(paths, ...args) {
        return measure(program('http_load'), '--port', this.dispatcher.port, '--token', this.dispatcher.token,
            '--path', paths, '--event-type', 'order.paid', '--size', 1024, ...args);
    }

    setDisabled(disabled) {
        return Promise.all(this.endpoints.map(({ app, id }) =>
            this.dispatcher.must('PATCH', `/app/${app}/endpoint/${id}`, { disabled })));
    }

    status() {
        return this.dispatcher.must('GET', '/status');
    }

    // Until every attempt is recorded.
    recorded() {
        return until(() => this.status(), status => status.pending === 0, every_ms);
    }

    // What `work` costs: CPU of the dispatcher, in all and of each thread, and time.
    async cost(work) {
        const before = cpuOfThreads(this.pid), began = process.hrtime.bigint();
        const result = await work();
        const seconds = Number(process.hrtime.bigint() - began) / 1e9;
        const threads = Object.fromEntries(Object.entries(cpuOfThreads(this.pid))
            .map(([name, us]) => [name, us - (before[name] ?? 0)]));
        return { result, seconds, threads, cpu: Object.values(threads).reduce((sum, us) => sum + us, 0) };
    }

    async stop() {
        await this.dispatcher.stop();
        this.dispatcher.remove();
    }
}
