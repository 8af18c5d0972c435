"use strict";
/* Text to tokens and back: byte-level BPE (Radford et al. 2019), with the vocabulary and merges of the loaded model. */
{
  const lab = (globalThis.linstudyLab ??= {});

  /* GPT-2's rule for where a text may be cut: words with the blank before them, numbers, signs, blanks. */
  const PIECES =
    /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
  const END = "<|endoftext|>"; // token 0: it stands before every story

  /* Every byte has a character that can be printed; those that have none of their own borrow one from U+0100 on. */
  const CHARACTER = [];
  for (let byte = 0, borrowed = 256; byte < 256; byte++) {
    const own = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    CHARACTER.push(String.fromCharCode(own ? byte : borrowed++));
  }
  const BYTE = new Map(CHARACTER.map((character, byte) => [character, byte]));

  function makeTokenizer(vocabulary, merges) {
    return {
      vocabulary, // the characters of each token
      id: new Map(vocabulary.map((token, id) => [token, id])),
      rank: new Map(merges.map((pair, rank) => [pair, rank])), // "a b": the lower, the earlier it is merged
    };
  }

  function encode(tokenizer, text) {
    const ids = [];
    text.split(END).forEach((part, index) => {
      if (index) ids.push(0);
      for (const [piece] of part.matchAll(PIECES)) ids.push(...encodePiece(tokenizer, piece));
    });
    return ids;
  }

  /* From single bytes, merge again and again the pair that was merged first when the vocabulary was made. */
  function encodePiece({ id, rank }, piece) {
    let parts = [...new TextEncoder().encode(piece)].map((byte) => CHARACTER[byte]);
    for (;;) {
      const ranks = parts.slice(1).map((next, i) => rank.get(`${parts[i]} ${next}`) ?? Infinity);
      const first = Math.min(...ranks);
      if (first === Infinity) return parts.map((part) => id.get(part));
      const merged = [];
      for (let i = 0; i < parts.length; i++) merged.push(ranks[i] === first ? parts[i] + parts[++i] : parts[i]);
      parts = merged;
    }
  }

  /* The text that each token adds; a letter whose bytes lie in several tokens goes to the one that completes it. */
  function decode(tokenizer, ids) {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return ids.map((id) => {
      if (id === 0) return END;
      const bytes = [...tokenizer.vocabulary[id]].map((character) => BYTE.get(character));
      return decoder.decode(new Uint8Array(bytes), { stream: true });
    });
  }

  Object.assign(lab, { END, makeTokenizer, encode, decode });
}
