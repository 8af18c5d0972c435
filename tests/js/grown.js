({name, text}) => {
    const lab = globalThis.linstudyLab, model = lab.unpack(lab.packed[name]);
    const plan = lab.makePlan(model, {3: "map"}), read = (run, tokens) => {
        for (const _ of lab.readText(model, plan, run, tokens)); return run; };
    const ids = text => [0, ...lab.encode(model.tokenizer, text)];
    const typed = lab.newRun(model);
    for (const length of [9, 30, 12, 80, 0, 40]) read(typed, ids(text.slice(0, length)));
    const anew = read(lab.newRun(model), ids(text.slice(0, 40)));
    return [typed, anew].map(run => [run.tokens, run.scores.map(x => [...x]), run.memory.map(m => m.keys.length)]);
}
