// A place on the WAN: a network namespace, and a process in it that calls and receives.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Deliveries, verify } from '../../e2e/lib/receiver.mjs';

const agent = new URL('agent.mjs', import.meta.url).pathname;

export class Site {
    #owed = new Map();      // what the agent was asked and hasn't answered
    #receivers = new Map();
    #asked = 0;

    constructor(name, namespace, address) {
        this.name = name;
        this.namespace = namespace;
        this.address = address;
        this.inside = ['nsenter', `--net=/run/netns/${namespace}`];     // before a program and its arguments
    }

    async start() {
        const [program, ...args] = [...this.inside, process.execPath, agent];
        this.process = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' });
        this.ended = once(this.process, 'exit');
        const [greeting] = await Promise.race([once(this.process, 'message'), this.ended]);
        if (!greeting?.ready) throw new Error(`${this.name}: no process in the namespace ${this.namespace}`);
        this.process.on('message', message => this.#heard(message));
        this.ended.then(() => {
            for (const { reject } of this.#owed.values()) reject(new Error(`${this.name}: its process has ended`));
        });
    }

    async stop() {
        if (!this.process) return;
        if (this.process.connected) this.process.disconnect();
        await this.ended;
    }

    #heard({ id, result, error, receiver, delivery }) {
        if (delivery) {
            this.#receivers.get(receiver).record(delivery);
            return;
        }
        const { resolve, reject } = this.#owed.get(id);
        this.#owed.delete(id);
        if (error === undefined) resolve(result);
        else reject(new Error(`${this.name}: ${error}`));
    }

    ask(task, argument) {
        const id = ++this.#asked;
        return new Promise((resolve, reject) => {
            this.#owed.set(id, { resolve, reject });
            this.process.send({ id, task, argument });
        });
    }

    // As the global one, from inside the site and on a warm connection; with `ms` and `reused` beside.
    async fetch(url, { method, headers, body, timeout_ms } = {}) {
        const answer = await this.ask('request', { url, method, headers, body, timeout_ms });
        const response = new Response(answer.body.length > 0 ? answer.body : null,
            { status: answer.status, headers: answer.headers });
        return Object.assign(response, { ms: answer.ms, reused: answer.reused });
    }

    // How many milliseconds it takes to connect.
    connect(address, port, timeout_ms) {
        return this.ask('connect', { address, port, timeout_ms });
    }

    // A receiver that answers as `answers` say (agent.mjs), 204 unless told.
    async receiver({ port = 0, answers = [{}] } = {}) {
        const { id, port: given } = await this.ask('listen', { address: this.address, port, answers });
        const receiver = new SiteReceiver(this, id, given);
        this.#receivers.set(id, receiver);
        return receiver;
    }
}

class SiteReceiver extends Deliveries {
    constructor(site, id, port) {
        super();
        this.site = site;
        this.id = id;
        this.port = port;
        this.url = `http://${site.address}:${port}/hook`;
    }

    // From the next delivery on.
    answer(...answers) {
        return this.site.ask('setAnswers', { id: this.id, answers });
    }

    // Throws unless every delivery is signed with the secret.
    verify(secret) {
        for (const delivery of this.deliveries) verify(secret, delivery);
    }

    close() {
        return this.site.ask('close', { id: this.id });
    }
}
