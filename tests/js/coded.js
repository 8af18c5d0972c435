({name, texts}) => {
    const lab = globalThis.linstudyLab;
    const {vocabulary, merges} = lab.packed[name];
    const tokenizer = lab.makeTokenizer(vocabulary, merges);
    return texts.map(text => lab.encode(tokenizer, text)).map(ids => ({ids, pieces: lab.decode(tokenizer, ids)}));
}
