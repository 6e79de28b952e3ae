// Ask again until an answer satisfies, each time after the dispatcher had its turn; where the cores are
// needed for what is measured, only every so many milliseconds.
export async function until(ask, satisfied, every_ms) {
    const pause = every_ms === undefined ? setImmediate : resume => setTimeout(resume, every_ms);
    for (;;) {
        const answer = await ask();
        if (satisfied(answer)) return answer;
        await new Promise(resume => pause(resume));
    }
}
