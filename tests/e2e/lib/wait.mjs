// Ask again until an answer satisfies, each time after the dispatcher had its turn.
export async function until(ask, satisfied) {
    for (;;) {
        const answer = await ask();
        if (satisfied(answer)) return answer;
        await new Promise(resolve => setImmediate(resolve));
    }
}
