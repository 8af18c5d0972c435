({name, text, changes, sizes}) => {
    const lab = globalThis.linstudyLab;
    const model = (globalThis.unpacked ??= {})[name] ??= lab.unpack(lab.packed[name]);
    const tokens = [0, ...lab.encode(model.tokenizer, text)];
    const plan = lab.makePlan(model, changes);
    for (const [layer, size] of Object.entries(sizes)) plan[layer - 1].size = size;
    const run = lab.newRun(model);
    for (const _ of lab.readText(model, plan, run, tokens));
    return {
        tokens, loss: lab.meanLoss(run),
        pieces: lab.decode(model.tokenizer, tokens),
        states: run.states.map(states => states.map(state => [...state])),
        logits: run.scores.map(scores => [...scores]),
        errors: run.states.map(s => model.layers.map((layer, l) => lab.mapError(layer, s[l], s[l + 1]))),
        lens: run.states.map(states => states.map(state => lab.likeliest(lab.readOff(model, state), 1)[0].id)),
        story: [...lab.tellStory(model, plan, run, 30)],
    };
}
