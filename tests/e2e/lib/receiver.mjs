// A subscriber's receiver whose behaviour a test scripts, on a raw socket where HTTP itself is bent.
import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { Webhook } from 'standardwebhooks';

// What came in, and waiting for it.
export class Deliveries {
    deliveries = [];
    #waiting = [];

    record(delivery) {
        this.deliveries.push(delivery);
        this.#waiting = this.#waiting.filter(w => !w.ready() || (w.resolve(), false));
    }

    // Until so many deliveries came, or until ready() says so after one.
    arrived(wanted) {
        const ready = typeof wanted === 'function' ? wanted : () => this.deliveries.length >= wanted;
        return ready() ? Promise.resolve() : new Promise(resolve => this.#waiting.push({ ready, resolve }));
    }
}

export class Receiver extends Deliveries {
    // `answer(delivery, response)` may take over; without it every delivery gets a 204.
    constructor(answer) {
        super();
        this.server = http.createServer(async (request, response) => {
            const chunks = [];
            for await (const chunk of request) chunks.push(chunk);
            const delivery = {
                url: request.url,
                headers: request.headers,
                body: Buffer.concat(chunks),
                at: Date.now(),
                number: this.deliveries.length + 1,
            };
            this.record(delivery);
            if (answer) answer(delivery, response);
            else response.writeHead(204).end();
        });
        this.server.keepAliveTimeout = 60_000;
    }

    async start() {
        this.server.listen(0, '127.0.0.1');
        await once(this.server, 'listening');
        this.url = `http://127.0.0.1:${this.server.address().port}/hook`;
        return this;
    }

    async stop() {
        this.server.close();
        this.server.closeAllConnections();
        await once(this.server, 'close');
    }
}

export async function receiver(t, answer) {
    const r = await new Receiver(answer).start();
    t.after(() => r.stop());
    return r;
}

// A receiver on a bare socket: `talk(socket, connection)` once the request has come in.
export async function socketReceiver(t, talk) {
    const sockets = new Set();
    let connections = 0;
    const server = net.createServer(socket => {
        const number = ++connections;
        sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => sockets.delete(socket));
        socket.once('data', () => talk(socket, number));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
        for (const socket of sockets) socket.destroy();
        server.close();
    });
    return { url: `http://127.0.0.1:${server.address().port}/`, connections: () => connections };
}

// Throws unless the published verifier accepts the delivery.
export function verify(secret, delivery) {
    return new Webhook(secret).verify(delivery.body.toString('utf8'), delivery.headers);
}
