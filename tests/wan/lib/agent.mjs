// A process inside a site: requests go out from here and receivers listen here, as its parent says (site.mjs).
import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';

const warm = new http.Agent({ keepAlive: true, maxSockets: 256 });
const receivers = [];

async function content(stream) {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks);
}

// One request on a connection that is kept for the next. With `expect` its body waits until it is asked for.
async function request({ url, method = 'GET', headers = {}, body, timeout_ms = 20_000 }) {
    const began = performance.now();
    const outgoing = http.request(url, { method, headers, agent: warm, signal: AbortSignal.timeout(timeout_ms) });
    if (headers.expect) outgoing.once('continue', () => outgoing.end(body)).flushHeaders();
    else outgoing.end(body);
    const [response] = await once(outgoing, 'response');
    return {
        status: response.statusCode,
        headers: response.headers,
        body: await content(response),
        ms: performance.now() - began,
        reused: outgoing.reusedSocket,
    };
}

// Milliseconds that the three packets of a TCP connection take until this side has it.
async function connect({ address, port, timeout_ms = 5000 }) {
    const began = performance.now();
    const socket = net.connect(port, address);
    socket.setTimeout(timeout_ms, () => socket.destroy(new Error(`no connection within ${timeout_ms} ms`)));
    try {
        await once(socket, 'connect');
        return performance.now() - began;
    } finally {
        socket.destroy();
    }
}

// `answers` in turn, the last one for all that follow: { status, headers, body, after_ms, silent, reset }.
function answer(receiver, number, response) {
    const { status = 204, headers = {}, body = '', after_ms = 0, silent, reset } =
        receiver.answers[Math.min(number, receiver.answers.length) - 1];
    if (silent) return;
    if (reset) response.socket.resetAndDestroy();
    else if (after_ms > 0) setTimeout(() => response.writeHead(status, headers).end(body), after_ms);
    else response.writeHead(status, headers).end(body);
}

async function listen({ address, port, answers }) {
    const receiver = { answers, server: http.createServer() };
    const id = receivers.push(receiver) - 1;
    let connections = 0, number = 0;
    receiver.server.on('connection', socket => (socket.connection = { number: ++connections, requests: 0 }));
    receiver.server.on('request', async (incoming, response) => {
        const { socket, url, headers } = incoming;
        const connection = {
            number: socket.connection.number,
            request: ++socket.connection.requests,
            from: socket.remoteAddress,
        };
        const body = await content(incoming).catch(() => null);
        if (!body) return;      // cut off
        process.send({ receiver: id, delivery: { url, headers, body, at: Date.now(), number: ++number, connection } });
        answer(receiver, number, response);
    });
    receiver.server.keepAliveTimeout = 60_000;
    receiver.server.listen(port, address);
    await once(receiver.server, 'listening');
    return { id, port: receiver.server.address().port };
}

function setAnswers({ id, answers }) {
    receivers[id].answers = answers;
}

async function close({ id }) {
    receivers[id].server.close();
    receivers[id].server.closeAllConnections();
    await once(receivers[id].server, 'close');
}

const tasks = { request, connect, listen, setAnswers, close };

process.on('message', async ({ id, task, argument }) => {
    try {
        process.send({ id, result: await tasks[task](argument) });
    } catch (error) {
        process.send({ id, error: error.message || error.code || String(error) });
    }
});
process.on('disconnect', () => process.exit());
process.send({ ready: true });
